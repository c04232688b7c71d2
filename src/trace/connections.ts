import { formatTuple, stateName } from "../linux/netfilter/conntrack/describe.ts";
import { IPS_ASSURED, IPS_SEEN_REPLY } from "../linux/netfilter/conntrack/entry.ts";
import type { Network } from "../linux/network.ts";
import type { NetworkEvent } from "../linux/recorder.ts";
import { parseIpv4 } from "../packet/address.ts";
import { protocolName } from "./packet-record.ts";
import type { ConntrackEntry } from "./trace.ts";

/**
 * The connections that packets of the run made or belonged to, the tunnel's among them, as they stand now: by
 * namespace in the order in which they were met.
 */
export function connectionsOf(network: Network, events: readonly NetworkEvent[]): ConntrackEntry[] {
  const met = new Map<string, Set<string>>();
  for (const e of events) {
    if (e.type !== "conntrack" || e.action === "destroy") continue;
    const keys = met.get(e.netns) ?? new Set();
    met.set(e.netns, keys.add(`${e.protocol} ${e.original}`));
  }
  return [...met].flatMap(([netns, keys]) => entriesOf(network, netns, keys));
}

function entriesOf(network: Network, name: string, keys: ReadonlySet<string>): ConntrackEntry[] {
  const table = network.namespaces.get(name)?.netfilter.conntrack;
  if (table === undefined || table === null) return [];
  const entries: ConntrackEntry[] = [];
  const destinations = new Set([...keys].map(destinationOf));
  for (const ct of table.entries()) {
    // a busy node has many others, whose text need not be made
    if (!destinations.has(ct.original.dst)) continue;
    const original = formatTuple(ct.original);
    if (!keys.has(`${ct.protocol} ${original}`)) continue;
    const flags: ("UNREPLIED" | "ASSURED")[] = [];
    if ((ct.status & IPS_SEEN_REPLY) === 0) flags.push("UNREPLIED");
    if ((ct.status & IPS_ASSURED) !== 0) flags.push("ASSURED");
    entries.push({
      netns: name,
      protocol: protocolName(ct.protocol),
      original,
      reply: formatTuple(ct.reply),
      state: stateName(ct),
      flags,
      mark: ct.mark,
    });
  }
  return entries;
}

/** The address behind `>`. */
function destinationOf(key: string): number {
  const [address = ""] = key.slice(key.indexOf(">") + 1).split(":");
  return parseIpv4(address);
}
