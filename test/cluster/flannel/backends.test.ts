import { describe, expect, it } from "vitest";
import {
  addLeases,
  type FlannelNetwork,
  removeLease,
  startFlannel,
} from "../../../src/cluster/flannel/flannel.ts";
import { type Lease, lease } from "../../../src/cluster/flannel/lease.ts";
import { vtepMacOf } from "../../../src/cluster/flannel/vxlan/backend.ts";
import type { FlannelBackend } from "../../../src/cluster/objects/model.ts";
import { Nic } from "../../../src/linux/device/segment.ts";
import { addAddress, setLinkUp } from "../../../src/linux/ip/address.ts";
import type { Netns } from "../../../src/linux/netns.ts";
import { Network } from "../../../src/linux/network.ts";
import { formatIpv4, formatMac, parseIpv4 } from "../../../src/packet/address.ts";

const BACKENDS = {
  udp: { type: "udp", port: 8285 },
  vxlan: { type: "vxlan", vni: 1, port: 8472 },
  "host-gw": { type: "host-gw" },
} as const satisfies Record<string, FlannelBackend>;

const OWN = lease("192.168.96.0/24", "10.1.96.233", vtepMacOf("node2"));
const OTHER = lease("192.168.97.0/24", "10.1.96.232", vtepMacOf("node1"));
const THIRD = lease("192.168.98.0/24", "10.1.96.231", vtepMacOf("master1"));

interface Started {
  netns: Netns;
  flannel: FlannelNetwork;
}

function start(backend: FlannelBackend, leases: readonly Lease[] = [OWN, OTHER], mtu = 1500): Started {
  const network = new Network();
  const netns = network.addNetns("node2");
  const nic = new Nic(netns, "ens33", 0x020000000001, mtu, network.addSegment("lan"));
  addAddress(nic, { local: parseIpv4("10.1.96.233"), prefixLength: 24 });
  setLinkUp(nic, true);
  const flannel = startFlannel(netns, { network: "192.168.0.0/16", backend, own: OWN, nic });
  addLeases(flannel, OWN, leases);
  return { netns, flannel };
}

/** As `ip route` words them. */
const routes = (netns: Netns): string[] =>
  [...netns.fib.entries(254)].map(({ destination, prefixLength, gateway, dev, scope, onlink, prefsrc }) =>
    [
      `${formatIpv4(destination)}/${prefixLength}`,
      gateway === 0 ? "" : `via ${formatIpv4(gateway)}`,
      `dev ${dev?.name}`,
      scope === 253 ? "scope link" : "",
      prefsrc === 0 ? "" : `src ${formatIpv4(prefsrc)}`,
      onlink ? "onlink" : "",
    ]
      .filter((word) => word !== "")
      .join(" "),
  );

const overlay = (netns: Netns): string[] => routes(netns).filter((route) => route.startsWith("192.168."));

const addressesOf = (netns: Netns, device: string): string[] =>
  netns
    .device(device)
    .addresses.map(
      ({ local, prefixLength, broadcast }) => `${formatIpv4(local)}/${prefixLength} ${broadcast}`,
    );

describe("udp", () => {
  it("has flannel0 with the subnet's own address and the network's mask, and the network's route", () => {
    const { netns } = start(BACKENDS.udp);
    expect(addressesOf(netns, "flannel0")).toEqual(["192.168.96.0/16 null"]);
    expect(netns.device("flannel0")).toMatchObject({ kind: "tun", mtu: 1472, up: true, headerless: true });
    expect(overlay(netns)).toEqual(["192.168.0.0/16 dev flannel0 scope link src 192.168.96.0"]);
  });

  it("takes its MTU from the NIC's", () => {
    expect(start(BACKENDS.udp, [], 9000).netns.device("flannel0").mtu).toBe(8972);
  });
});

describe("vxlan", () => {
  it("has flannel.1 with the subnet's own address alone, without learning", () => {
    const { netns, flannel } = start(BACKENDS.vxlan);
    expect(addressesOf(netns, "flannel.1")).toEqual(["192.168.96.0/32 null"]);
    expect(flannel).toMatchObject({
      device: {
        kind: "vxlan",
        mtu: 1450,
        mac: OWN.vtepMac,
        options: {
          vni: 1,
          port: 8472,
          learning: false,
          local: parseIpv4("10.1.96.233"),
          lower: { name: "ens33" },
        },
      },
    });
  });

  it("has a route, a permanent neighbour and a forwarding entry for every other node", () => {
    const { netns, flannel } = start(BACKENDS.vxlan, [OWN, OTHER, THIRD]);
    expect(overlay(netns)).toEqual([
      "192.168.97.0/24 via 192.168.97.0 dev flannel.1 onlink",
      "192.168.98.0/24 via 192.168.98.0 dev flannel.1 onlink",
    ]);
    const neighbours = [...netns.neighbours.entries()].map(({ dev, address, mac, state }) =>
      [dev.name, formatIpv4(address), formatMac(mac), state].join(" "),
    );
    expect(neighbours).toEqual([
      `flannel.1 192.168.97.0 ${formatMac(OTHER.vtepMac)} PERMANENT`,
      `flannel.1 192.168.98.0 ${formatMac(THIRD.vtepMac)} PERMANENT`,
    ]);
    expect(flannel.type === "vxlan" ? [...flannel.device.fdb] : []).toEqual([
      [OTHER.vtepMac, OTHER.publicIP],
      [THIRD.vtepMac, THIRD.publicIP],
    ]);
  });

  it("names its device after the VNI", () => {
    expect([...start({ type: "vxlan", vni: 42, port: 4789 }).netns.devices.keys()]).toContain("flannel.42");
  });

  it("has different addresses on different nodes, and the same ones every time", () => {
    expect(vtepMacOf("node1")).not.toBe(vtepMacOf("node2"));
    expect(vtepMacOf("node1")).toBe(vtepMacOf("node1"));
    // unicast, locally administered
    expect(Math.floor(vtepMacOf("node1") / 2 ** 40) & 3).toBe(2);
  });
});

describe("host-gw", () => {
  it("has routes by the NIC and no device", () => {
    const { netns } = start(BACKENDS["host-gw"], [OWN, OTHER, THIRD]);
    expect([...netns.devices.keys()]).toEqual(["lo", "ens33"]);
    expect(overlay(netns)).toEqual([
      "192.168.97.0/24 via 10.1.96.232 dev ens33",
      "192.168.98.0/24 via 10.1.96.231 dev ens33",
    ]);
  });

  it("has none to a node on another network, which the kernel refuses", () => {
    const { flannel, netns } = start(BACKENDS["host-gw"], []);
    const far = lease("192.168.99.0/24", "172.16.0.1");
    expect(addLeases(flannel, OWN, [far])).toEqual([far]);
    expect(overlay(netns)).toEqual([]);
  });
});

describe.each(Object.entries(BACKENDS))("leases, %s", (_, backend) => {
  it("for the node's own subnet are passed over, whoever has them", () => {
    const clash = lease("192.168.96.0/24", "10.1.96.232", vtepMacOf("node1"));
    expect(overlay(start(backend, [clash]).netns)).toEqual(overlay(start(backend, []).netns));
  });

  it("of two for one subnet the later counts", () => {
    const clash = { ...OTHER, publicIP: THIRD.publicIP, vtepMac: THIRD.vtepMac };
    const { netns, flannel } = start(backend, [OTHER, clash]);
    expect(overlay(netns).filter((route) => route.startsWith("192.168.97.0/24")).length).toBe(
      backend.type === "udp" ? 0 : 1,
    );
    if (flannel.type === "vxlan")
      expect(netns.neighbours.find(flannel.device, OTHER.subnet)?.mac).toBe(THIRD.vtepMac);
    if (flannel.type === "host-gw")
      expect(overlay(netns)).toEqual(["192.168.97.0/24 via 10.1.96.231 dev ens33"]);
  });

  it("that end leave nothing", () => {
    const { netns, flannel } = start(backend);
    removeLease(flannel, OTHER);
    expect(overlay(netns)).toEqual(overlay(start(backend, []).netns));
    expect([...netns.neighbours.entries()]).toEqual([]);
  });
});
