import { describe, expect, it } from "vitest";
import { Nic } from "../../../src/linux/device/segment.ts";
import { Tun } from "../../../src/linux/device/tun.ts";
import { VXLAN_HEADROOM, Vxlan } from "../../../src/linux/device/vxlan.ts";
import { addAddress, addRoute, setLinkUp } from "../../../src/linux/ip/address.ts";
import { Network } from "../../../src/linux/network.ts";
import type { NetworkEvent } from "../../../src/linux/recorder.ts";
import { parseIpv4 } from "../../../src/packet/address.ts";
import type { Packet } from "../../../src/packet/packet.ts";
import { summarize } from "../../../src/packet/summary.ts";
import type { Lab } from "../lab.ts";
import { ping, udp } from "../packets.ts";
import { crossed, delivered, dropped } from "../seen.ts";
import { sendRaw } from "../send.ts";

/** Hosts 10.1.0.1, 10.1.0.2 … on one wire. */
function hosts(count: number): Lab {
  const network = new Network();
  const events: NetworkEvent[] = [];
  const segment = network.addSegment("lan");
  for (let i = 1; i <= count; i++) {
    const nic = new Nic(network.addNetns(`h${i}`), "eth0", 0x020000000000 + i, 1500, segment);
    setLinkUp(nic, true);
    addAddress(nic, { local: parseIpv4(`10.1.0.${i}`), prefixLength: 24 });
  }
  network.recorder = { record: (event) => void events.push(event) };
  return {
    network,
    events,
    ns: (name) => network.netns(name),
    dev: (at) => network.netns(at.split(":")[0]!).device(at.split(":")[1]!),
  };
}

/** vx0 with 10.2.0.I/24, its neighbours and far ends as flannel sets them. */
function addVxlan(lab: Lab, i: number, learning = false): Vxlan {
  const netns = lab.ns(`h${i}`);
  const vxlan = new Vxlan(netns, "vx0", 0x0200000001f0 + i, 1500 - VXLAN_HEADROOM, {
    vni: 1,
    port: 8472,
    local: parseIpv4(`10.1.0.${i}`),
    lower: netns.device("eth0"),
    learning,
  });
  setLinkUp(vxlan, true);
  addAddress(vxlan, { local: parseIpv4(`10.2.0.${i}`), prefixLength: 24 });
  return vxlan;
}

describe("a segment", () => {
  it("carries a frame to its receiver alone, and a broadcast to everybody but its sender", () => {
    const lab = hosts(3);
    sendRaw(lab, "h1", ping("10.1.0.1", "10.1.0.2"));
    lab.network.settle();
    expect(crossed(lab, "h3:eth0", "rx")).toEqual(["arp who-has 10.1.0.2 tell 10.1.0.1"]);
    expect(delivered(lab, "h1")).toHaveLength(1);
  });
});

describe("VXLAN", () => {
  it("wraps a frame for the far end that its database names, and takes it out there", () => {
    const lab = hosts(2);
    const [one, two] = [addVxlan(lab, 1), addVxlan(lab, 2)];
    one.fdb.set(two.mac, parseIpv4("10.1.0.2"));
    two.fdb.set(one.mac, parseIpv4("10.1.0.1"));
    lab.ns("h1").neighbours.addPermanent(one, parseIpv4("10.2.0.2"), two.mac);
    lab.ns("h2").neighbours.addPermanent(two, parseIpv4("10.2.0.1"), one.mac);
    sendRaw(lab, "h1", ping("10.2.0.1", "10.2.0.2"));
    lab.network.settle();
    const taken = delivered(lab, "h1").filter(({ inner }) => inner === null);
    expect(taken.map(summarize)).toEqual(["icmp 10.2.0.2 > 10.2.0.1 ttl 64 len 36 type 0/0"]);
    const outer = crossed(lab, "h1:eth0", "tx").find((line) => line.startsWith("udp"))!;
    expect(outer).toMatch(
      /^udp 10\.1\.0\.1:\d+ > 10\.1\.0\.2:8472 ttl 64 len 86 \{icmp 10\.2\.0\.1 > 10\.2\.0\.2/,
    );
    const sourcePort = Number(/:(\d+) >/.exec(outer)![1]);
    expect(sourcePort).toBeGreaterThanOrEqual(32768);
    expect(sourcePort).toBeLessThan(61000);
  });

  it("drops a frame for a MAC that nobody told it of", () => {
    const lab = hosts(1);
    const one = addVxlan(lab, 1);
    lab.ns("h1").neighbours.addPermanent(one, parseIpv4("10.2.0.9"), 0x020000000099);
    sendRaw(lab, "h1", ping("10.2.0.1", "10.2.0.9"));
    lab.network.settle();
    expect(dropped(lab, "h1")).toEqual(["VXLAN_NO_REMOTE@vxlan_xmit"]);
  });

  it("refuses another network's identifier", () => {
    const lab = hosts(2);
    const [one, two] = [addVxlan(lab, 1), addVxlan(lab, 2)];
    (two as { options: Vxlan["options"] }).options = { ...two.options, vni: 2 };
    one.fdb.set(two.mac, parseIpv4("10.1.0.2"));
    lab.ns("h1").neighbours.addPermanent(one, parseIpv4("10.2.0.2"), two.mac);
    sendRaw(lab, "h1", ping("10.2.0.1", "10.2.0.2"));
    lab.network.settle();
    expect(dropped(lab, "h2")).toEqual(["VXLAN_VNI_NOT_FOUND@vxlan_rcv"]);
  });
});

describe("TUN", () => {
  function withTun(): { lab: Lab; tun: Tun; read: Packet[] } {
    const lab = hosts(1);
    const tun = new Tun(lab.ns("h1"), "tun0", 1472);
    const read: Packet[] = [];
    tun.owner = { read: (packet) => void read.push(packet) };
    setLinkUp(tun, true);
    addAddress(tun, { local: parseIpv4("10.3.0.0"), prefixLength: 16 });
    return { lab, tun, read };
  }

  it("gives its process bare packets, whoever the next hop is, without asking for MACs", () => {
    const { lab, read } = withTun();
    sendRaw(lab, "h1", udp("0.0.0.0:1", "10.3.7.7:9"));
    sendRaw(lab, "h1", udp("0.0.0.0:1", "10.3.8.8:9"));
    lab.network.settle();
    expect(read.map(summarize)).toEqual([
      "udp 10.3.0.0:1 > 10.3.7.7:9 ttl 64 len 38",
      "udp 10.3.0.0:1 > 10.3.8.8:9 ttl 64 len 38",
    ]);
    expect([...lab.ns("h1").neighbours.entries()].map(({ state }) => state)).toEqual(["NOARP"]);
  });

  it("receives what its process writes", () => {
    const { lab, tun, read } = withTun();
    tun.write(ping("10.3.7.7", "10.3.0.0"), 1);
    lab.network.settle();
    expect(read.map(summarize)).toEqual(["icmp 10.3.0.0 > 10.3.7.7 ttl 64 len 36 type 0/0"]);
  });

  it("has no carrier without a process", () => {
    const { lab, tun } = withTun();
    tun.owner = null;
    sendRaw(lab, "h1", udp("0.0.0.0:1", "10.3.7.7:9"));
    expect(dropped(lab, "h1")).toEqual(["QDISC_DROP@noop_enqueue"]);
    expect(crossed(lab, "h1:tun0", "tx")).toEqual([]);
  });

  it("takes a route by the device away when it goes down", () => {
    const { lab, tun } = withTun();
    addRoute(lab.ns("h1"), { destination: parseIpv4("10.9.0.0"), prefixLength: 16, dev: tun });
    setLinkUp(tun, false);
    expect(sendRaw(lab, "h1", udp("0.0.0.0:1", "10.9.0.1:9"))).toBe("ENETUNREACH");
  });
});
