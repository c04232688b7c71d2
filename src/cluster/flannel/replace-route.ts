import type { Netns } from "../../linux/netns.ts";

/** Takes every route of exactly that block and of metric 0 out of the main table: what `ip route replace` and `del` begin with. */
export function removeRoutesTo(netns: Netns, destination: number, prefixLength: number): void {
  for (const entry of [...netns.fib.mainEntriesTo(destination, prefixLength)])
    if (entry.metric === 0) netns.fib.remove(entry);
}
