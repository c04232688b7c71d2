import type { Conntrack } from "../../linux/netfilter/conntrack/entry.ts";
import type { Netns } from "../../linux/netns.ts";
import {
  type ConntrackFilter,
  type ConntrackFlow,
  matchesFilter,
  staleConntrackEntries,
  udpBackends,
} from "../kube-proxy/conntrack-cleanup.ts";
import { staleConntrackEntries as changedEntries } from "../kube-proxy/v1.7/conntrack-cleanup.ts";
import type { ServiceState } from "./kube-proxy.ts";

const flowOf = ({ protocol, original, reply }: Conntrack): ConntrackFlow => ({
  protocol,
  originalDestination: original.dst,
  originalDestinationPort: original.dport,
  replySource: reply.src,
});

/**
 * Deletes the connections of a node that kube-proxy deletes after a sync: 1.32 by what the table holds, 1.7 by what has
 * changed since the sync before.
 *
 * @param before what the sync before knew; null at the first one.
 */
export function cleanUpConntrack(netns: Netns, before: ServiceState | null, after: ServiceState): void {
  const table = netns.netfilter.conntrack;
  if (table === null) return;
  const entries = [...table.entries()];
  for (const filter of filters(before, after, entries.map(flowOf)))
    for (const entry of entries) if (matchesFilter(filter, flowOf(entry))) table.remove(entry);
}

function filters(
  before: ServiceState | null,
  after: ServiceState,
  flows: readonly ConntrackFlow[],
): readonly ConntrackFilter[] {
  if (after.version === "1.32") return staleConntrackEntries(udpBackends(after.state), flows);
  return before?.version === "1.7" ? changedEntries(before.state, after.state) : [];
}
