import { formatIpv4 } from "../../packet/address.ts";
import type { Netns } from "../netns.ts";
import type { Recorder } from "../recorder.ts";
import type { Skb } from "../skb.ts";
import { ROUTE_TYPE_NAMES, type Route } from "./route.ts";

/** Tells the recorder which way a packet was sent; called only while somebody watches. */
export function reportRoute(recorder: Recorder, netns: Netns, skb: Skb, direction: "input" | "output"): void {
  const { route, packet } = skb;
  if (route === null) return;
  recorder.record({
    type: "route",
    timeUs: netns.clock.nowUs,
    netns: netns.name,
    serial: skb.serial,
    direction,
    destination: packet.dst,
    source: packet.src,
    result: describeRoute(route),
  });
}

/** As `ip route` words it: `192.168.96.0/24 dev docker0`, `default via 10.1.96.1 dev ens33`, `local 10.1.96.233`. */
function describeRoute({ entry, error, dev, gateway, type }: Route): string {
  if (error !== null) return `none: ${error}`;
  if (entry === null) return `${ROUTE_TYPE_NAMES[type]} dev ${dev.name}`;
  const prefix =
    entry.prefixLength === 0
      ? "default"
      : entry.prefixLength === 32
        ? formatIpv4(entry.destination)
        : `${formatIpv4(entry.destination)}/${entry.prefixLength}`;
  if (ROUTE_TYPE_NAMES[type] === "local") return `local ${prefix}`;
  const kind = ROUTE_TYPE_NAMES[type] === "unicast" ? "" : `${ROUTE_TYPE_NAMES[type]} `;
  return `${kind}${prefix}${gateway === 0 ? "" : ` via ${formatIpv4(gateway)}`} dev ${dev.name}`;
}
