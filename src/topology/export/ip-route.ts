import { RT_SCOPE_HOST, RT_SCOPE_LINK, RT_SCOPE_SITE } from "../../linux/device/device.ts";
import { type FibEntry, ROUTE_TYPE_NAMES, RT_TABLE_MAIN } from "../../linux/ip/route.ts";
import type { Netns } from "../../linux/netns.ts";
import { formatIpv4 } from "../../packet/address.ts";

const SCOPES: Readonly<Record<number, string>> = {
  [RT_SCOPE_SITE]: "site",
  [RT_SCOPE_LINK]: "link",
  [RT_SCOPE_HOST]: "host",
};
const RTN_UNICAST = 1;

/** What `ip route` prints: the main table (iproute2 6.1: ip/iproute.c, print_route; every line ends in a space). */
export function ipRoute(netns: Netns): string {
  return [...netns.fib.entries(RT_TABLE_MAIN)].sort(inTrieOrder).map(routeText).join("");
}

/** As the kernel's trie is dumped: by address, of one address the longest prefix first, then by metric. */
const inTrieOrder = (a: FibEntry, b: FibEntry): number =>
  a.destination - b.destination || b.prefixLength - a.prefixLength || a.metric - b.metric;

/** One entry as `ip route` prints it. */
function routeText(entry: FibEntry): string {
  const { type, gateway, dev, protocol, scope, prefsrc, metric, onlink, mtu } = entry;
  const words = [
    type === RTN_UNICAST ? "" : ROUTE_TYPE_NAMES[type],
    destinationText(entry),
    gateway === 0 ? "" : `via ${formatIpv4(gateway)}`,
    dev === null ? "" : `dev ${dev.name}`,
    protocol === "boot" ? "" : `proto ${protocol}`,
    SCOPES[scope] === undefined ? "" : `scope ${SCOPES[scope]}`,
    prefsrc === 0 ? "" : `src ${formatIpv4(prefsrc)}`,
    metric === 0 ? "" : `metric ${metric}`,
    onlink ? "onlink" : "",
    dev?.up && !dev.carrier ? "linkdown" : "",
    mtu === 0 ? "" : `mtu ${mtu}`,
  ];
  return `${words.filter((word) => word !== "").join(" ")} \n`;
}

function destinationText({ destination, prefixLength }: FibEntry): string {
  if (prefixLength === 0) return "default";
  const address = formatIpv4(destination);
  return prefixLength === 32 ? address : `${address}/${prefixLength}`;
}
