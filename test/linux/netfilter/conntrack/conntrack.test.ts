import { beforeEach, describe, expect, it } from "vitest";
import { formatTuple, stateName } from "../../../../src/linux/netfilter/conntrack/describe.ts";
import { IPS_ASSURED } from "../../../../src/linux/netfilter/conntrack/entry.ts";
import { buildLab, type Lab } from "../../lab.ts";
import { routed } from "../../networks.ts";
import { ping, tcp, udp } from "../../packets.ts";
import { crossed, dropped, eventsOf } from "../../seen.ts";
import { sendRaw } from "../../send.ts";

const SECOND = 1_000_000;
const QUIET = { rules: { filter: ["-A INPUT -j DROP"] } };

function tracking(nat: readonly string[] = [], more: readonly string[] = []): Lab {
  return buildLab(
    routed({
      c: QUIET,
      s: QUIET,
      r: { rules: { nat, filter: ["-A FORWARD -m conntrack --ctstate NEW", ...more] } },
    }),
  );
}

describe("connection tracking", () => {
  let lab: Lab;
  const list = () =>
    [...lab.ns("r").netfilter.conntrack!.entries()].map((ct) =>
      [stateName(ct), formatTuple(ct.original), ct.status & IPS_ASSURED ? "assured" : null]
        .filter(Boolean)
        .join(" "),
    );
  const secondsLeft = () =>
    [...lab.ns("r").netfilter.conntrack!.entries()].map(({ expiresUs }) =>
      Math.round((expiresUs - lab.network.clock.nowUs) / SECOND),
    );

  beforeEach(() => {
    lab = tracking();
  });

  it("exists only where rules need it", () => {
    expect(lab.ns("c").netfilter.conntrack).toBeNull();
    expect(lab.ns("r").netfilter.conntrack).not.toBeNull();
    lab.ns("r").netfilter.load("*filter\nCOMMIT\n*nat\nCOMMIT\n");
    expect(lab.ns("r").netfilter.conntrack).toBeNull();
  });

  it.each([
    ["udp", () => udp("10.0.0.1:1", "10.0.1.1:9"), 30],
    ["icmp", () => ping("10.0.0.1", "10.0.1.1"), 30],
    ["tcp SYN", () => tcp("10.0.0.1:1", "10.0.1.1:9", "S"), 120],
    ["tcp picked up", () => tcp("10.0.0.1:1", "10.0.1.1:9", "A"), 300],
    ["sctp", () => udp("10.0.0.1:1", "10.0.1.1:9", 20, { protocol: 132 }), 3],
    ["another protocol", () => udp("10.0.0.1", "10.0.1.1", 20, { protocol: 250 }), 600],
  ])("forgets %s after its timeout, on the virtual clock", (_, packet, seconds) => {
    sendRaw(lab, "c", packet());
    lab.network.settle();
    expect(secondsLeft()).toEqual([seconds]);
    lab.network.advance((seconds - 0.5) * SECOND);
    expect(list()).toHaveLength(1);
    lab.network.advance(SECOND);
    expect(list()).toEqual([]);
  });

  it("lists a connection only once its first packet has left", () => {
    lab = tracking([], ["-A FORWARD -p udp -m udp --dport 9 -j DROP"]);
    sendRaw(lab, "c", udp("10.0.0.1:1", "10.0.1.1:9"));
    sendRaw(lab, "c", udp("10.0.0.1:1", "10.0.1.1:10"));
    lab.network.settle();
    expect(list()).toEqual(["10.0.0.1:1>10.0.1.1:10"]);
  });

  it.each([true, false])("forgets everything when it is flushed; somebody watches: %s", (watched) => {
    const { network } = lab;
    const { recorder } = network;
    const table = lab.ns("r").netfilter.conntrack!;
    const send = () => {
      for (const port of [1, 2, 3]) sendRaw(lab, "c", udp(`10.0.0.1:${port}`, "10.0.1.1:9"));
      network.settle();
    };
    send();
    const before = [...table.entries()];
    expect(before).toHaveLength(3);
    if (!watched) network.recorder = null;
    table.flush();
    network.recorder = recorder;
    expect(list()).toEqual([]);
    expect(table.size).toBe(0);
    for (const { original } of before) expect(table.findTuple(original).ct).toBeNull();
    send();
    expect(list()).toHaveLength(3);
  });

  it("gives an unassured connection up when it is full, and drops when there is none, echo requests too", () => {
    lab.ns("r").sysctl.set("net.netfilter.nf_conntrack_max", 2);
    for (const port of [1, 2, 3]) sendRaw(lab, "c", udp(`10.0.0.1:${port}`, "10.0.1.1:9"));
    lab.network.settle();
    expect(list()).toEqual(["10.0.0.1:2>10.0.1.1:9", "10.0.0.1:3>10.0.1.1:9"]);
    for (const port of [2, 3]) {
      sendRaw(lab, "s", udp("10.0.1.1:9", `10.0.0.1:${port}`));
      lab.network.advance(3 * SECOND);
      sendRaw(lab, "c", udp(`10.0.0.1:${port}`, "10.0.1.1:9"));
      lab.network.settle();
    }
    expect(list().every((line) => line.endsWith("assured"))).toBe(true);
    sendRaw(lab, "c", udp("10.0.0.1:4", "10.0.1.1:9"));
    sendRaw(lab, "c", ping("10.0.0.1", "10.0.1.1"));
    lab.network.settle();
    expect(dropped(lab, "r")).toEqual(["NETFILTER_DROP@nf_conntrack_in", "NETFILTER_DROP@nf_conntrack_in"]);
    expect(list()).toHaveLength(2);
  });

  it("refuses to pick connections up when it is not loose", () => {
    lab.ns("r").sysctl.set("net.netfilter.nf_conntrack_tcp_loose", 0);
    sendRaw(lab, "c", tcp("10.0.0.1:1", "10.0.1.1:9", "A"));
    lab.network.settle();
    expect(list()).toEqual([]);
    expect(eventsOf(lab, "conntrack", "r").map(({ action }) => action)).toContain("invalid");
  });

  it("judges no window when it is liberal", () => {
    const states = () => eventsOf(lab, "conntrack", "r").filter(({ action }) => action === "invalid").length;
    for (const liberal of [0, 1]) {
      lab = tracking();
      lab.ns("r").sysctl.set("net.netfilter.nf_conntrack_tcp_be_liberal", liberal);
      sendRaw(lab, "c", tcp("10.0.0.1:1", "10.0.1.1:9", "S", { seq: 1 }));
      lab.network.settle();
      sendRaw(lab, "s", tcp("10.0.1.1:9", "10.0.0.1:1", "SA", { seq: 9, ack: 2 }));
      lab.network.settle();
      sendRaw(lab, "c", tcp("10.0.0.1:1", "10.0.1.1:9", "A", { seq: 900_000, ack: 10, payloadLength: 1 }));
      lab.network.settle();
      expect(states()).toBe(liberal === 0 ? 1 : 0);
    }
  });

  const ports = () =>
    crossed(lab, "r:s0", "tx").flatMap((line) => {
      const port = /^udp 10\.0\.1\.254:(\d+)/.exec(line)?.[1];
      return port === undefined ? [] : [Number(port)];
    });

  it("keeps a port that is free, and picks one above 1023 when it is not", () => {
    lab = tracking(["-A POSTROUTING -o s0 -j SNAT --to-source 10.0.1.254"]);
    for (const client of [1, 2]) sendRaw(lab, "c", udp(`10.0.0.${client}:5000`, "10.0.1.1:9"));
    sendRaw(lab, "c", udp("10.0.0.3:5000", "10.0.1.1:10"));
    lab.network.settle();
    const [first, second, third] = ports();
    expect([first, third]).toEqual([5000, 5000]);
    expect(second).not.toBe(5000);
    expect(second).toBeGreaterThanOrEqual(1024);
  });

  it.each([
    [300, 1, 511],
    [700, 600, 1023],
    [30_000, 1024, 65_535],
  ])("--random-fully: port %i becomes one from %i to %i", (port, min, max) => {
    lab = tracking(["-A POSTROUTING -o s0 -j MASQUERADE --random-fully"]);
    for (let i = 1; i <= 40; i++) sendRaw(lab, "c", udp(`10.0.0.${i}:${port}`, "10.0.1.1:9"));
    lab.network.settle();
    expect(ports()).toHaveLength(40);
    for (const chosen of ports()) {
      expect(chosen).toBeGreaterThanOrEqual(min);
      expect(chosen).toBeLessThanOrEqual(max);
    }
    expect(new Set(ports()).size).toBe(40);
    expect(ports().every((chosen) => chosen === port)).toBe(false);
  });

  it("drops the packet that finds every port taken: insert_failed", () => {
    lab = tracking(["-A POSTROUTING -o s0 -p udp -j SNAT --to-source 10.0.1.254:7000-7001"]);
    for (const client of [1, 2, 3]) sendRaw(lab, "c", udp(`10.0.0.${client}:5000`, "10.0.1.1:9"));
    lab.network.settle();
    expect(ports().sort()).toEqual([7000, 7001]);
    expect(dropped(lab, "r")).toEqual(["NETFILTER_DROP@__nf_conntrack_confirm"]);
  });
});
