import { describe, expect, it } from "vitest";
import type { SimulatedCluster } from "../../../src/cluster/build/cluster.ts";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import type { Netns } from "../../../src/linux/netns.ts";
import { formatIpv4, formatMac } from "../../../src/packet/address.ts";
import { build, clusterYaml, connect, modelOf } from "./fixture.ts";

const devices = (netns: Netns): string[] =>
  [...netns.devices.values()].map(
    ({ name, mtu, addresses }) =>
      `${name} ${mtu} ${addresses.map(({ local, prefixLength, broadcast }) => `${formatIpv4(local)}/${prefixLength}${broadcast === null ? "" : ` brd ${formatIpv4(broadcast)}`}`).join(" ")}`,
  );

const listeners = (netns: Netns): string[] =>
  netns.sockets.listeners.map(({ protocol, port, owner }) => `${protocol} ${port} ${owner}`);

const refusedBy = (yaml: string): string[] => [...build(yaml).refused];

describe("a node", () => {
  const { netns, nic } = build(clusterYaml("udp")).node("node2");

  it("has NIC, docker0 and flannel0 with the addresses that the tutorial's `ip addr` shows", () => {
    expect(devices(netns)).toEqual([
      "lo 65536 127.0.0.1/8",
      "ens33 1500 10.1.96.233/24 brd 10.1.96.255",
      "docker0 1500 192.168.96.1/24",
      "flannel0 1472 192.168.96.0/16",
      expect.stringMatching(/^veth[0-9a-f]{7} 1500 $/),
    ]);
  });

  it("has the segment's gateway as its default route", () => {
    const [route] = netns.fib.entries(254);
    expect(route?.prefixLength).toBe(0);
    expect(route?.dev).toBe(nic);
    expect(formatIpv4(route?.gateway ?? 0)).toBe("10.1.96.1");
  });

  it("listens for the kubelet and, by docker-proxy, for published ports", () => {
    expect(listeners(netns)).toEqual(["tcp 10250 kubelet", "tcp 8081 docker-proxy"]);
  });

  it.each([
    ["net.ipv4.ip_forward", 1],
    ["net.bridge.bridge-nf-call-iptables", 1],
    ["net.ipv4.conf.all.rp_filter", 0],
    // kube-proxy's: NodePorts on 127.0.0.1, and its own timeouts of connections
    ["net.ipv4.conf.all.route_localnet", 1],
    ["net.netfilter.nf_conntrack_tcp_timeout_established", 86400],
    ["net.netfilter.nf_conntrack_tcp_timeout_close_wait", 3600],
    ["net.netfilter.nf_conntrack_max", 131072],
  ])("has %s = %i", (name, value) => {
    expect(netns.sysctl.get(name)).toBe(value);
  });

  it("lets the topology's sysctls have the last word", () => {
    const yaml = clusterYaml("udp", "  node: {sysctl: {net.ipv4.conf.all.route_localnet: 0}}");
    expect(build(yaml).node("node2").netns.sysctl.get("net.ipv4.conf.all.route_localnet")).toBe(0);
  });

  it("writes what kube-proxy of its release writes", () => {
    const old = build(clusterYaml("udp", '  kubeProxy: {version: "1.7"}')).node("node2").netns.sysctl;
    expect(old.get("net.netfilter.nf_conntrack_tcp_timeout_established")).toBe(432000);
    expect(old.get("net.ipv4.conf.all.route_localnet")).toBe(1);
  });

  it("takes names, MTUs and docker's settings from the topology", () => {
    const spec = "  node: {nic: {name: eno1, mtu: 9000}, docker: {bridge: br0, mtu: 1472, hairpin: true}}";
    const node = build(clusterYaml("vxlan", spec)).node("node2");
    expect(devices(node.netns).map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "lo 65536",
      "eno1 9000",
      "br0 1472",
      "flannel.1 8950",
      expect.stringMatching(/^veth.* 1472$/),
    ]);
    expect(node.bridge.ports.map(({ hairpin }) => hairpin)).toEqual([true]);
  });
});

describe("a pod", () => {
  const cluster = build(clusterYaml("udp"));

  it("has a namespace named NODE/NAMESPACE/POD with eth0", () => {
    expect(devices(cluster.network.netns("node2/default/b"))).toEqual([
      "lo 65536 127.0.0.1/8",
      "eth0 1500 192.168.96.2/24",
    ]);
    expect(formatMac(cluster.network.netns("node2/default/b").device("eth0").mac)).toBe("02:42:c0:a8:60:02");
  });

  it("listens by its containers", () => {
    expect(listeners(cluster.network.netns("node2/default/b"))).toEqual(["tcp 80 web", "udp 53 dns"]);
  });

  it("begins with its node's settings of net.ipv4.conf", () => {
    const { sysctl } = cluster.network.netns("node2/default/b");
    expect(sysctl.get("net.ipv4.ip_forward")).toBe(1);
    expect(sysctl.get("net.ipv4.conf.eth0.forwarding")).toBe(1);
    expect(sysctl.get("net.ipv4.conf.all.route_localnet")).toBe(1);
  });

  it("is found by name and by namespace", () => {
    expect(cluster.pod("default", "b")?.netns.name).toBe("node2/default/b");
    expect(cluster.podOfNetns("node2/default/b")?.model.name).toBe("b");
    expect([cluster.pod("default", "x"), cluster.podOfNetns("node2"), cluster.podOfNetns("client")]).toEqual([
      null,
      null,
      null,
    ]);
    expect(() => cluster.node("x")).toThrow("there is no node x");
  });

  it("of the node's network listens on the node and has no sandbox", () => {
    const pod = `---
{apiVersion: v1, kind: Pod, metadata: {name: h}, spec: {nodeName: node1, hostNetwork: true, containers: [{name: agent, ports: [{containerPort: 9100}]}]}}`;
    const built = build(clusterYaml("udp") + pod);
    expect(built.pod("default", "h")).toMatchObject({ sandbox: null, netns: { name: "node1" } });
    expect(listeners(built.network.netns("node1"))).toContain("tcp 9100 agent");
    expect(connect(built, "client", "10.1.96.232:9100").delivered).toContain("node1 agent");
  });

  it("does not listen by a container that is not ready", () => {
    const pod = `---
{apiVersion: v1, kind: Pod, metadata: {name: c}, spec: {nodeName: node1, containers: [{name: web, ports: [{containerPort: 80}]}]}, status: {podIP: 192.168.97.9, conditions: [{type: Ready, status: "False"}]}}`;
    expect(listeners(build(clusterYaml("udp") + pod).network.netns("node1/default/c"))).toEqual([]);
  });
});

describe("a Service", () => {
  const more = `---
{apiVersion: v1, kind: Service, metadata: {name: headless}, spec: {clusterIP: None, selector: {app: b}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: lb}, spec: {type: LoadBalancer, clusterIP: 10.96.0.20, externalIPs: [198.51.100.7], selector: {app: b}, ports: [{port: 80, nodePort: 30090}]}, status: {loadBalancer: {ingress: [{ip: 203.0.113.10}]}}}`;
  const cluster = build(clusterYaml("udp") + more);

  it.each([
    [
      "b",
      {
        clusterIP: "10.96.0.10",
        externalIPs: [],
        ingressIPs: [],
        ports: [
          { name: "web", port: 80, protocol: "TCP", nodePort: 30080 },
          { name: "dns", port: 53, protocol: "UDP", nodePort: 30053 },
        ],
      },
    ],
    [
      "headless",
      {
        clusterIP: null,
        externalIPs: [],
        ingressIPs: [],
        ports: [{ name: null, port: 80, protocol: "TCP", nodePort: null }],
      },
    ],
    ["lb", expect.objectContaining({ externalIPs: ["198.51.100.7"], ingressIPs: ["203.0.113.10"] })],
    ["nobody", null],
  ])("%s is reached at its addresses", (name, addresses) => {
    expect(cluster.service("default", name)).toEqual(addresses);
  });
});

describe("what the kernel refuses", () => {
  it("is nothing in an ordinary cluster", () => {
    expect(refusedBy(clusterYaml("udp"))).toEqual([]);
  });

  it("is a second listener on a port", () => {
    const pod = `---
{apiVersion: v1, kind: Pod, metadata: {name: h}, spec: {nodeName: node1, hostNetwork: true, containers: [{name: rogue, ports: [{containerPort: 10250}]}]}}`;
    expect(refusedBy(clusterYaml("udp") + pod)).toEqual(["rogue: EADDRINUSE: tcp 10250 in node1"]);
  });

  it("is host-gw's route to a node on another segment", () => {
    const yaml = clusterYaml("host-gw")
      .replace("gateway: 10.1.96.1}]", "gateway: 10.1.96.1}, {name: far, subnet: 10.2.0.0/24}]")
      .replace("address: 10.1.96.233", "address: 10.2.0.233");
    expect(refusedBy(yaml)).toEqual([
      "flanneld on node1: no route to 192.168.96.0/24 via 10.2.0.233",
      "flanneld on node2: no route to 192.168.97.0/24 via 10.1.96.232",
    ]);
  });
});

describe("two nodes with one subnet", () => {
  const yaml = (backend: string) =>
    `${clusterYaml(backend)}---
{apiVersion: v1, kind: Node, metadata: {name: node3}, spec: {podCIDR: 192.168.96.0/24}, status: {addresses: [{type: InternalIP, address: 10.1.96.234}]}}`;

  it.each(["udp", "vxlan", "host-gw"])(
    "draw the third one's packets to the last of them, over %s",
    (backend) => {
      const { delivered, events } = connect(build(yaml(backend)), "node1/default/a", "192.168.96.2:80");
      expect(delivered).toBeNull();
      expect(
        events.some(
          (event) => event.type === "device" && event.netns === "node3" && event.packet.protocol !== 0,
        ),
      ).toBe(true);
    },
  );
});

describe("building", () => {
  const identities = ({ network }: SimulatedCluster) =>
    [...network.namespaces.values()].flatMap(({ name, devices: all }) =>
      [...all.values()].map((dev) => `${name} ${dev.name} ${formatMac(dev.mac)}`),
    );

  it("gives equal names and addresses every time, and no MAC twice", () => {
    const once = identities(build(clusterYaml("vxlan")));
    expect(once).toEqual(identities(build(clusterYaml("vxlan"))));
    const macs = once.map((line) => line.split(" ").at(-1)).filter((mac) => mac !== "00:00:00:00:00:00");
    expect(new Set(macs).size).toBe(macs.length);
  });

  it("takes a second or so for a thousand pods on ten nodes", () => {
    const nodes = Array.from(
      { length: 10 },
      (_, i) => `---
{apiVersion: v1, kind: Node, metadata: {name: n${i}}, spec: {podCIDR: 192.168.${10 + i}.0/24}, status: {addresses: [{type: InternalIP, address: 10.1.96.${20 + i}}]}}`,
    );
    const web = `---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 1000, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, ports: [{containerPort: 80}]}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}`;
    const model = modelOf(
      [
        "{apiVersion: podpath.dev/v1alpha1, kind: Cluster, metadata: {name: big}, spec: {segments: [{name: lan, subnet: 10.1.96.0/24}]}}",
        ...nodes,
        web,
      ].join("\n"),
    );
    const begin = performance.now();
    const cluster = buildNetwork(model);
    const seconds = (performance.now() - begin) / 1000;
    expect([...cluster.pods()].length).toBe(1000);
    expect(seconds).toBeLessThan(5);
  });
});
