import { describe, expect, it } from "vitest";
import { SeededChooser } from "../../../../src/linux/chooser.ts";
import {
  Conntrack,
  IPS_SRC_NAT,
  TCP_CONNTRACK_NAMES,
  TcpTracking,
} from "../../../../src/linux/netfilter/conntrack/entry.ts";
import { ConntrackTable } from "../../../../src/linux/netfilter/conntrack/table.ts";
import { invertTuple } from "../../../../src/linux/netfilter/conntrack/tuple.ts";
import { getUniqueTuple } from "../../../../src/linux/netfilter/nat/unique-tuple.ts";
import { Network } from "../../../../src/linux/network.ts";
import { parseIpv4 } from "../../../../src/packet/address.ts";

const NODE = parseIpv4("10.0.0.1");
const SERVER = parseIpv4("10.0.0.9");

/** A connection of a pod to the server, in a TCP state, its sender having come to that sequence number. */
function connection(pod: string, state: string, end: number): Conntrack {
  const original = { src: parseIpv4(pod), dst: SERVER, sport: 4000, dport: 80, protocol: 6 };
  const ct = new Conntrack(original, invertTuple(original)!);
  ct.tcp = new TcpTracking();
  ct.tcp.seen[0].end = end;
  ct.tcpState = (TCP_CONNTRACK_NAMES as readonly string[]).indexOf(state);
  ct.expiresUs = 1e9;
  return ct;
}

describe("when the only port to masquerade to is taken", () => {
  it.each([
    ["by a connection that stands: it stays taken", "ESTABLISHED", 1000, IPS_SRC_NAT, false],
    [
      "by one in TIME_WAIT behind the new one's sequence numbers: it is given up",
      "TIME_WAIT",
      1000,
      IPS_SRC_NAT,
      true,
    ],
    ["by one in TIME_WAIT ahead of them: it stays taken", "TIME_WAIT", 9000, IPS_SRC_NAT, false],
    ["by one in TIME_WAIT that was never translated: it stays taken", "TIME_WAIT", 1000, 0, false],
    ["by one that was reset: it is given up", "CLOSE", 1000, IPS_SRC_NAT, true],
  ])("%s", (_, state, end, status, givenUp) => {
    const netns = new Network().addNetns("node");
    const table = new ConntrackTable(netns);
    const old = connection("192.168.0.2", state, end);
    old.reply = { src: SERVER, dst: NODE, sport: 80, dport: 5000, protocol: 6 };
    old.status = status;
    table.insert(old);
    const fresh = connection("192.168.0.3", "SYN_SENT", 5000);
    const range = {
      addresses: { min: NODE, max: NODE },
      ports: { min: 5000, max: 5000 },
      portBase: null,
      random: true,
      randomFully: false,
      persistent: false,
    };
    const tuple = getUniqueTuple(table, new SeededChooser(1), fresh.original, range, fresh, "source");
    expect(tuple).toMatchObject({ src: NODE, sport: 5000 });
    expect([...table.entries()].includes(old)).toBe(!givenUp);
  });
});
