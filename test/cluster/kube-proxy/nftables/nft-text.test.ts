import { spawnSync } from "node:child_process";
import type { Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { describe, expect, it } from "vitest";
import { completeKubeProxyConfiguration } from "../../../../src/cluster/kube-proxy/configuration.ts";
import { nftProxier } from "../../../../src/cluster/kube-proxy/nftables/proxier.ts";
import { fullNftSync, nftRules, partialNftSync } from "../../../../src/cluster/kube-proxy/nftables/sync.ts";
import { proxyNode } from "../../../../src/cluster/kube-proxy/node.ts";
import { proxyState } from "../../../../src/cluster/kube-proxy/proxy-state.ts";
import { applyNft } from "../../../../src/linux/netfilter/nftables/transaction.ts";

const NODE = "testhost";
const config = completeKubeProxyConfiguration({ clusterCIDR: "10.0.0.0/8" });
const proxier = nftProxier(
  config,
  proxyNode(
    { metadata: { name: NODE }, status: { addresses: [{ type: "InternalIP", address: "192.168.0.2" }] } },
    ["127.0.0.1", "192.168.0.2"],
  ),
);

const service = (
  ns: string,
  name: string,
  clusterIP: string,
  spec: Service["spec"] = {},
  nodePort?: number,
): Service => ({
  metadata: { namespace: ns, name },
  spec: {
    type: "ClusterIP",
    clusterIP,
    ports: [{ name: "p80", port: 80, protocol: "TCP", ...(nodePort === undefined ? {} : { nodePort }) }],
    ...spec,
  },
});
const slice = (
  namespace: string,
  name: string,
  ...endpoints: (readonly [string, string?])[]
): EndpointSlice => ({
  metadata: { namespace, name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "p80", port: 80, protocol: "TCP" }],
  endpoints: endpoints.map(([address, nodeName]) => ({
    addresses: [address],
    ...(nodeName === undefined ? {} : { nodeName }),
  })),
});

const withStatus = (given: Service, ip: string): Service => ({
  ...given,
  status: { loadBalancer: { ingress: [{ ip }] } },
});

const services: Service[] = [
  service("ns1", "svc1", "172.30.0.41"),
  withStatus(
    service(
      "ns2",
      "svc2",
      "172.30.0.42",
      { type: "LoadBalancer", externalTrafficPolicy: "Local", externalIPs: ["192.168.99.22"] },
      3001,
    ),
    "1.2.3.4",
  ),
  service("ns3", "svc3", "172.30.0.43", { type: "NodePort" }, 3003),
  service("ns4", "svc4", "172.30.0.44", { type: "NodePort", externalIPs: ["192.168.99.33"] }),
  withStatus(
    service(
      "ns5",
      "svc5",
      "172.30.0.45",
      { type: "LoadBalancer", loadBalancerSourceRanges: [" 203.0.113.0/25"], sessionAffinity: "ClientIP" },
      3002,
    ),
    "5.6.7.8",
  ),
  service("ns6", "svc6", "172.30.0.46"),
];
const slices = [
  slice("ns1", "svc1", ["10.180.0.1"]),
  slice("ns2", "svc2", ["10.180.0.2"]),
  slice("ns3", "svc3", ["10.180.0.3"]),
  slice("ns4", "svc4", ["10.180.0.4"], ["10.180.0.5", NODE]),
  slice("ns5", "svc5", ["10.180.0.3"]),
];

const ports = nftRules(proxyState(services, slices), proxier);
const text = fullNftSync(ports, proxier);
const lines = text.split("\n");
/** Commands on a Service's chains and elements, without their common head. */
const about = (...words: readonly string[]): string[] =>
  lines
    .filter((line) => words.some((word) => line.includes(word)))
    .map((line) => line.replace(" ip kube-proxy", ""));

describe("nftables mode", () => {
  it("names chains by namespace, Service, protocol and port, with a hash in front", () => {
    expect(about("ns1/svc1")).toEqual([
      "add chain endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80",
      "flush chain endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80",
      "add chain service-ULMVA6XW-ns1/svc1/tcp/p80",
      "flush chain service-ULMVA6XW-ns1/svc1/tcp/p80",
      "add element service-ips { 172.30.0.41 . tcp . 80 : goto service-ULMVA6XW-ns1/svc1/tcp/p80 }",
      "add rule service-ULMVA6XW-ns1/svc1/tcp/p80 ip daddr 172.30.0.41 tcp dport 80 ip saddr != 10.0.0.0/8 jump mark-for-masquerade",
      "add rule service-ULMVA6XW-ns1/svc1/tcp/p80 numgen random mod 1 vmap { 0 : goto endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80 }",
      "add rule endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80 ip saddr 10.180.0.1 jump mark-for-masquerade",
      "add rule endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80 meta l4proto tcp dnat to 10.180.0.1:80",
    ]);
  });

  it("takes short cuts for traffic from inside, and drops the rest, where policy Local has no endpoint here", () => {
    const external = "external-42NFTM6N-ns2/svc2/tcp/p80";
    const cluster = "service-42NFTM6N-ns2/svc2/tcp/p80";
    expect(about(`add rule ip kube-proxy ${external}`)).toEqual([
      `add rule ${external} ip saddr 10.0.0.0/8 goto ${cluster} comment "short-circuit pod traffic"`,
      `add rule ${external} fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"`,
      `add rule ${external} fib saddr type local goto ${cluster} comment "short-circuit local traffic"`,
    ]);
    expect(
      about("no-endpoint-services {", "no-endpoint-nodeports {").filter((line) => line.includes("ns2")),
    ).toEqual([
      'add element no-endpoint-services { 192.168.99.22 . tcp . 80 comment "ns2/svc2:p80" : drop }',
      'add element no-endpoint-services { 1.2.3.4 . tcp . 80 comment "ns2/svc2:p80" : drop }',
      'add element no-endpoint-nodeports { tcp . 3001 comment "ns2/svc2:p80" : drop }',
    ]);
  });

  it("rejects what no endpoint anywhere could serve", () => {
    expect(about("172.30.0.46")).toEqual([
      "add element cluster-ips { 172.30.0.46 }",
      'add element no-endpoint-services { 172.30.0.46 . tcp . 80 comment "ns6/svc6:p80" : goto reject-chain }',
    ]);
  });

  it("remembers clients in a set an endpoint, and drops by source ranges before translation", () => {
    expect(
      about("affinity-GTK6MW7G", "firewall-HVFWP5L3").filter((line) => !/^(add|flush) chain/.test(line)),
    ).toEqual([
      "add element firewall-ips { 5.6.7.8 . tcp . 80 : goto firewall-HVFWP5L3-ns5/svc5/tcp/p80 }",
      "add rule firewall-HVFWP5L3-ns5/svc5/tcp/p80 ip saddr != { 203.0.113.0/25 } drop",
      "add set affinity-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 { type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }",
      "add rule service-HVFWP5L3-ns5/svc5/tcp/p80 ip saddr @affinity-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 goto endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80",
      "add rule endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 update @affinity-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 { ip saddr }",
    ]);
  });

  it("answers NodePorts on the node's own address alone unless told otherwise", () => {
    expect(about("nodeport-ips")).toEqual([
      'add set nodeport-ips { type ipv4_addr ; comment "IPs that accept NodePort traffic" ; }',
      "flush set nodeport-ips",
      "add element nodeport-ips { 192.168.0.2 }",
      "add rule nodeport-endpoints-check ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports",
      "add rule services ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports",
    ]);
  });

  it("after a change names the changed Service's chains and what led elsewhere, and gives the table of a full sync", () => {
    const fewer = slices.map((one) =>
      one.metadata?.name === "svc4-1" ? slice("ns4", "svc4", ["10.180.0.4"]) : one,
    );
    const after = nftRules(proxyState(services, fewer), proxier);
    const change = partialNftSync(ports, after);
    expect(change).toMatchInlineSnapshot(`
      "add chain ip kube-proxy endpoint-UNZV3OEC-ns4/svc4/tcp/p80__10.180.0.4/80
      flush chain ip kube-proxy endpoint-UNZV3OEC-ns4/svc4/tcp/p80__10.180.0.4/80
      add chain ip kube-proxy service-LAUZTJTB-ns4/svc4/tcp/p80
      flush chain ip kube-proxy service-LAUZTJTB-ns4/svc4/tcp/p80
      add chain ip kube-proxy external-LAUZTJTB-ns4/svc4/tcp/p80
      flush chain ip kube-proxy external-LAUZTJTB-ns4/svc4/tcp/p80
      add rule ip kube-proxy service-LAUZTJTB-ns4/svc4/tcp/p80 ip daddr 172.30.0.44 tcp dport 80 ip saddr != 10.0.0.0/8 jump mark-for-masquerade
      add rule ip kube-proxy external-LAUZTJTB-ns4/svc4/tcp/p80 jump mark-for-masquerade
      add rule ip kube-proxy external-LAUZTJTB-ns4/svc4/tcp/p80 goto service-LAUZTJTB-ns4/svc4/tcp/p80
      add rule ip kube-proxy service-LAUZTJTB-ns4/svc4/tcp/p80 numgen random mod 1 vmap { 0 : goto endpoint-UNZV3OEC-ns4/svc4/tcp/p80__10.180.0.4/80 }
      add rule ip kube-proxy endpoint-UNZV3OEC-ns4/svc4/tcp/p80__10.180.0.4/80 ip saddr 10.180.0.4 jump mark-for-masquerade
      add rule ip kube-proxy endpoint-UNZV3OEC-ns4/svc4/tcp/p80__10.180.0.4/80 meta l4proto tcp dnat to 10.180.0.4:80
      flush chain ip kube-proxy endpoint-5RFCDDV7-ns4/svc4/tcp/p80__10.180.0.5/80
      "
    `);
    const stale = "endpoint-5RFCDDV7-ns4/svc4/tcp/p80__10.180.0.5/80";
    const changed = applyNft(applyNft(null, text), `${change}delete chain ip kube-proxy ${stale}\n`);
    expect(new Map([...changed.chains].sort())).toEqual(
      new Map([...applyNft(null, fullNftSync(after, proxier)).chains].sort()),
    );
  });

  it("changes nothing, and says nothing, when nothing has changed", () => {
    expect(partialNftSync(ports, nftRules(proxyState(services, slices), proxier))).toBe("");
  });
});

const hasNft = spawnSync("unshare", ["-n", "nft", "list", "tables"]).status === 0;

describe("the real nft", () => {
  it.skipIf(!hasNft)(
    "takes a full sync and a change, in a namespace of its own (skipped without nft or root)",
    () => {
      const fewer = slices.map((one) =>
        one.metadata?.name === "svc4-1" ? slice("ns4", "svc4", ["10.180.0.4"]) : one,
      );
      const change = partialNftSync(ports, nftRules(proxyState(services, fewer), proxier));
      const { status, stderr } = spawnSync("unshare", ["-n", "nft", "-f", "-"], {
        input: text + change,
        encoding: "utf8",
      });
      expect(stderr).toBe("");
      expect(status).toBe(0);
    },
  );
});
