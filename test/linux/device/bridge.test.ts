import { beforeEach, describe, expect, it } from "vitest";
import type { Bridge } from "../../../src/linux/device/bridge.ts";
import { setLinkUp } from "../../../src/linux/ip/address.ts";
import { buildLab, type Lab } from "../lab.ts";
import { frame, ping, udp } from "../packets.ts";
import { crossed, delivered, dropped, eventsOf } from "../seen.ts";
import { injectFrame, sendRaw } from "../send.ts";

const SECOND = 1_000_000;

/** Three pods on br0, without br_netfilter: a 1 ─ p1 2, b 3 ─ p2 4, d 5 ─ p3 6. */
function pods(hairpin: readonly string[] = []): Lab {
  return buildLab({
    veths: [
      ["a:eth0", "n:p1"],
      ["b:eth0", "n:p2"],
      ["d:eth0", "n:p3"],
    ],
    namespaces: {
      a: { addresses: { eth0: ["10.0.0.1/24"] } },
      b: { addresses: { eth0: ["10.0.0.2/24"] } },
      d: { addresses: { eth0: ["10.0.0.3/24"] } },
      n: {
        bridges: { br0: ["p1", "p2", "p3"] },
        hairpin,
        addresses: { br0: ["10.0.0.254/24"] },
        sysctl: { "net.bridge.bridge-nf-call-iptables": 0 },
      },
    },
  });
}

describe("a bridge", () => {
  let lab: Lab;
  let bridge: Bridge;
  const send = (from: string, to: string) => {
    lab.events.length = 0;
    injectFrame(lab, "a:eth0", frame(udp("10.0.0.1:1", "10.0.0.77:9"), from, to));
    lab.network.run();
  };
  const reached = () => ["b:eth0", "d:eth0"].filter((at) => crossed(lab, at, "rx").length > 0);

  beforeEach(() => {
    lab = pods();
    bridge = lab.dev("n:br0") as Bridge;
  });

  it("floods to the newest port first, and not back to where the frame came from", () => {
    send("1", "9:9");
    expect(eventsOf(lab, "bridge").find(({ action }) => action === "flood")).toMatchObject({
      port: "p3 p2",
      detail: "unknown destination",
    });
    expect(crossed(lab, "a:eth0", "rx")).toEqual([]);
  });

  it("knows who spoke, for 300 seconds", () => {
    // a probes b five seconds after it has answered: b speaks once more
    sendRaw(lab, "b", ping("10.0.0.2", "10.0.0.1"));
    lab.network.settle();
    send("1", "3");
    expect(reached()).toEqual(["b:eth0"]);
    lab.network.advance(299 * SECOND);
    send("1", "3");
    expect(reached()).toEqual(["b:eth0"]);
    lab.network.advance(10 * SECOND);
    send("1", "3");
    expect(reached()).toEqual(["b:eth0", "d:eth0"]);
  });

  it("believes the last port by which somebody spoke", () => {
    send("7", "9:9");
    injectFrame(lab, "b:eth0", frame(udp("10.0.0.2:1", "10.0.0.1:9"), "7", "9:9"));
    lab.network.run();
    expect(bridge.fdb.find(0x020000000007)?.port?.dev.name).toBe("p2");
  });

  it("never learns its own addresses from others", () => {
    send("1:1", "9:9");
    expect(bridge.fdb.find(0x020000000101)).toMatchObject({ local: true, port: null });
    send("4", "9:9");
    expect(bridge.fdb.find(0x020000000004)).toMatchObject({ local: true });
  });

  it("takes frames for its own and its ports' addresses up", () => {
    for (const to of ["1:1", "2", "6"]) {
      send("1", to);
      expect(eventsOf(lab, "bridge").map(({ action }) => action)).toContain("local");
      expect(reached()).toEqual([]);
    }
  });

  it.each([
    ["port goes down", "n:p2"],
    ["port's other end goes down", "b:eth0"],
  ])("forgets whom it knew behind a port when the %s", (_, at) => {
    sendRaw(lab, "b", ping("10.0.0.2", "10.0.0.1"));
    lab.network.settle();
    expect(bridge.fdb.find(0x020000000003)).not.toBeNull();
    setLinkUp(lab.dev(at), false);
    expect(bridge.fdb.find(0x020000000003)).toBeNull();
    send("1", "3");
    expect(reached()).toEqual(["d:eth0"]);
  });

  it("drops what would leave by the port it came by, unless that is a hairpin", () => {
    send("1", "1");
    send("1", "1");
    expect(dropped(lab, "n")).toEqual(["NOT_SPECIFIED@br_handle_frame_finish"]);
    lab = pods(["p1"]);
    send("1", "1");
    send("1", "1");
    expect(crossed(lab, "a:eth0", "rx")).toHaveLength(1);
  });

  it("sends what the node sends to everybody once, and answers for itself", () => {
    sendRaw(lab, "n", ping("10.0.0.254", "10.0.0.2"));
    lab.network.settle();
    expect(delivered(lab, "n").map(({ icmpType }) => icmpType)).toEqual([0]);
    sendRaw(lab, "a", ping("10.0.0.1", "10.0.0.254"));
    lab.network.settle();
    expect(delivered(lab, "a").map(({ icmpType }) => icmpType)).toEqual([0]);
  });
});
