import { describe, expect, it } from "vitest";
import { addDockerBridge } from "../../../src/cluster/docker/bridge.ts";
import { macOfAddress } from "../../../src/cluster/docker/mac.ts";
import { addPodSandbox, removePodSandbox } from "../../../src/cluster/docker/sandbox.ts";
import type { Netns } from "../../../src/linux/netns.ts";
import { Network } from "../../../src/linux/network.ts";
import { formatIpv4, formatMac, parseIpv4 } from "../../../src/packet/address.ts";

function node(): { network: Network; netns: Netns } {
  const network = new Network();
  return { network, netns: network.addNetns("node2") };
}

const routes = (netns: Netns, table: 254 | 255): string[] =>
  [...netns.fib.entries(table)].map(
    ({ destination, prefixLength, gateway, dev, type }) =>
      `${type} ${formatIpv4(destination)}/${prefixLength} ${gateway === 0 ? "" : `via ${formatIpv4(gateway)} `}${dev?.name}`,
  );

describe("docker0", () => {
  it("has its address without a broadcast address, and the routes that come with it", () => {
    const { netns } = node();
    const bridge = addDockerBridge(netns, { address: "192.168.96.1/24", mtu: 1500 });
    expect(bridge).toMatchObject({ name: "docker0", mtu: 1500, up: true });
    expect(bridge.addresses).toEqual([
      { local: parseIpv4("192.168.96.1"), prefixLength: 24, broadcast: null, scope: 0, secondary: false },
    ]);
    expect(routes(netns, 254)).toEqual(["1 192.168.96.0/24 docker0"]);
    expect(routes(netns, 255)).toContain("3 192.168.96.255/32 docker0");
  });

  it("has a MAC of docker's, equal for equal names and different for different nodes", () => {
    const macOn = (name: string) =>
      formatMac(addDockerBridge(new Network().addNetns(name), { address: "172.17.0.1/16", mtu: 1500 }).mac);
    expect(macOn("node1")).toMatch(/^02:42:/);
    expect(macOn("node1")).toBe(macOn("node1"));
    expect(macOn("node1")).not.toBe(macOn("node2"));
  });

  it("takes a MAC that is given", () => {
    const bridge = addDockerBridge(node().netns, {
      name: "br0",
      address: "10.0.0.1/24",
      mtu: 1400,
      mac: 0x0242ac110001,
    });
    expect([bridge.name, formatMac(bridge.mac), bridge.mtu]).toEqual(["br0", "02:42:ac:11:00:01", 1400]);
  });
});

describe("a container's MAC", () => {
  it.each([
    ["192.168.96.54", "02:42:c0:a8:60:36"],
    ["172.17.0.2", "02:42:ac:11:00:02"],
    ["0.0.0.0", "02:42:00:00:00:00"],
  ])("of %s is %s", (address, mac) => {
    expect(formatMac(macOfAddress(parseIpv4(address)))).toBe(mac);
  });
});

describe("a pod's sandbox", () => {
  const options = { namespace: "default", name: "web", address: "192.168.96.54", mtu: 1472 };

  function sandbox(more: { hairpin?: boolean; vethName?: string } = {}) {
    const { network, netns } = node();
    const bridge = addDockerBridge(netns, { address: "192.168.96.1/24", mtu: 1500 });
    return {
      network,
      node: netns,
      bridge,
      pod: addPodSandbox(network, netns, bridge, { ...options, ...more }),
    };
  }

  it("is a namespace of its own with eth0, an address of the bridge's prefix and a default route", () => {
    const { pod } = sandbox();
    expect(pod.netns.name).toBe("node2/default/web");
    expect(pod.eth0).toMatchObject({ name: "eth0", mtu: 1472, up: true, mac: 0x0242c0a86036 });
    expect(pod.eth0.addresses).toMatchObject([
      { local: parseIpv4("192.168.96.54"), prefixLength: 24, broadcast: null },
    ]);
    expect(routes(pod.netns, 254)).toEqual(["1 0.0.0.0/0 via 192.168.96.1 eth0", "1 192.168.96.0/24 eth0"]);
  });

  it("has its other end on the bridge, forwarding", () => {
    const { pod, bridge } = sandbox({ hairpin: true });
    expect(bridge.ports).toEqual([pod.port]);
    expect(pod.port).toMatchObject({ hairpin: true, forwarding: true });
    expect(pod.veth).toMatchObject({ name: "vethc0a86036", mtu: 1472, up: true, peer: pod.eth0 });
  });

  it("lowers the bridge's MTU to its own while it is there", () => {
    const { network, node: netns, bridge, pod } = sandbox();
    expect(bridge.mtu).toBe(1472);
    addPodSandbox(network, netns, bridge, { ...options, name: "other", address: "192.168.96.55", mtu: 1500 });
    expect(bridge.mtu).toBe(1472);
    removePodSandbox(network, pod);
    expect(bridge.mtu).toBe(1500);
  });

  it("takes a veth name that is given", () => {
    expect(sandbox({ vethName: "veth1a2b3c4" }).pod.veth.name).toBe("veth1a2b3c4");
  });

  it("leaves nothing behind when it goes", () => {
    const { network, node: netns, bridge, pod } = sandbox();
    removePodSandbox(network, pod);
    expect([...network.namespaces.keys()]).toEqual(["node2"]);
    expect([...netns.devices.keys()]).toEqual(["lo", "docker0"]);
    expect(bridge.ports).toEqual([]);
    expect(bridge.fdb.entries.has(pod.veth.mac)).toBe(false);
    expect(() => addPodSandbox(network, netns, bridge, options)).not.toThrow();
  });

  it("is refused where its name is taken, or the bridge has no address", () => {
    const { network, node: netns, bridge } = sandbox();
    expect(() => addPodSandbox(network, netns, bridge, options)).toThrow(
      "namespace node2/default/web exists",
    );
    bridge.addresses.length = 0;
    expect(() => addPodSandbox(network, netns, bridge, { ...options, name: "x" })).toThrow(
      "docker0 in node2 has no address",
    );
  });
});
