import { RT_TABLE_MAIN } from "../../linux/ip/route.ts";
import type { Netns } from "../../linux/netns.ts";

/** Takes every route of exactly that block and of metric 0 out of the main table: what `ip route replace` and `del` begin with. */
export function removeRoutesTo(netns: Netns, destination: number, prefixLength: number): void {
  for (const entry of [...netns.fib.entries(RT_TABLE_MAIN)])
    if (entry.destination === destination && entry.prefixLength === prefixLength && entry.metric === 0)
      netns.fib.remove(entry);
}
