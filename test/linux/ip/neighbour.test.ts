import { beforeEach, describe, expect, it } from "vitest";
import { setLinkUp } from "../../../src/linux/ip/address.ts";
import { parseIpv4 } from "../../../src/packet/address.ts";
import { buildLab, type Lab } from "../lab.ts";
import { routed } from "../networks.ts";
import { ping, udp } from "../packets.ts";
import { crossed, dropped, errors, eventsOf } from "../seen.ts";
import { sendRaw } from "../send.ts";

const SECOND = 1_000_000;
const ROUTER = parseIpv4("10.0.0.254");

describe("a neighbour", () => {
  let lab: Lab;
  const states = (netns: string, address: number) =>
    eventsOf(lab, "neighbour", netns)
      .filter((event) => event.address === address)
      .map(({ state, timeUs }) => `${state} ${Math.floor(timeUs / SECOND)}`);
  const questions = (at: string) => crossed(lab, at, "tx").filter((line) => line.startsWith("arp who-has"));

  beforeEach(() => {
    lab = buildLab(routed());
  });

  it("is reachable for 30 s, then stale; used, it is probed after 5 s, and answers", () => {
    sendRaw(lab, "c", ping("10.0.0.1", "10.0.0.254"));
    lab.network.advance(31 * SECOND);
    expect(lab.ns("c").neighbours.find(lab.dev("c:eth0"), ROUTER)?.state).toBe("STALE");
    sendRaw(lab, "c", udp("10.0.0.1:1", "10.0.1.1:9", 1, { ttl: 9 }));
    lab.network.advance(10 * SECOND);
    expect(states("c", ROUTER)).toEqual([
      "INCOMPLETE 0",
      "REACHABLE 0",
      "DELAY 31",
      "PROBE 36",
      "REACHABLE 36",
    ]);
  });

  it("is asked three times by broadcast, then who waited is told", () => {
    sendRaw(lab, "c", udp("10.0.0.1:1", "10.0.1.77:9"));
    sendRaw(lab, "c", udp("10.0.0.1:2", "10.0.1.77:9"));
    lab.network.advance(2.9 * SECOND);
    expect(questions("r:s0")).toHaveLength(3);
    expect(errors(lab, "c")).toEqual([]);
    lab.network.advance(0.2 * SECOND);
    expect(errors(lab, "c")).toEqual(["3/1 10.0.0.254", "3/1 10.0.0.254"]);
    expect(dropped(lab, "r")).toEqual(["NEIGH_FAILED@arp_error_report", "NEIGH_FAILED@arp_error_report"]);
  });

  it("is asked anew after it failed", () => {
    for (let i = 0; i < 2; i++) {
      sendRaw(lab, "c", udp("10.0.0.1:1", "10.0.0.77:9"));
      lab.network.advance(4 * SECOND);
    }
    expect(questions("c:eth0")).toHaveLength(6);
  });

  it("that vanishes is probed three times by unicast, then it has failed", () => {
    sendRaw(lab, "c", ping("10.0.0.1", "10.0.0.254"));
    lab.network.advance(31 * SECOND);
    lab.ns("r").sysctl.set("net.ipv4.conf.all.arp_ignore", 8);
    lab.events.length = 0;
    sendRaw(lab, "c", ping("10.0.0.1", "10.0.0.254"));
    lab.network.advance(20 * SECOND);
    expect(states("c", ROUTER).map((line) => line.split(" ")[0])).toEqual(["DELAY", "PROBE", "FAILED"]);
    expect(questions("c:eth0")).toHaveLength(3);
  });

  it("that is permanent is never asked, and outlives the device's going down", () => {
    const dev = lab.dev("c:eth0");
    lab.ns("c").neighbours.addPermanent(dev, parseIpv4("10.0.0.88"), 0x020000000002);
    sendRaw(lab, "c", udp("10.0.0.1:1", "10.0.0.88:9"));
    setLinkUp(dev, false);
    setLinkUp(dev, true);
    sendRaw(lab, "c", udp("10.0.0.1:1", "10.0.0.88:9"));
    lab.network.settle();
    expect(questions("c:eth0")).toEqual([]);
    expect(crossed(lab, "r:c0", "rx").filter((line) => line.startsWith("udp"))).toHaveLength(2);
  });

  it("keeps what waits in order", () => {
    for (const port of [1, 2, 3]) sendRaw(lab, "c", udp(`10.0.0.1:${port}`, "10.0.0.254:9"));
    lab.network.settle();
    expect(
      crossed(lab, "r:c0", "rx")
        .filter((line) => line.startsWith("udp"))
        .map((line) => line.slice(0, 14)),
    ).toEqual(["udp 10.0.0.1:1", "udp 10.0.0.1:2", "udp 10.0.0.1:3"]);
  });
});
