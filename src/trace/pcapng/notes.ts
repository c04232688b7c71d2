import type { DropEvent, NatEvent } from "../../linux/recorder.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { isIcmpError, type Packet } from "../../packet/packet.ts";
import { destinationText, sourceText } from "../packet-record.ts";

/** `source 192.168.97.2:47450 -> 192.168.97.0:47450 (POSTROUTING)`: a packet's comment where it was translated. */
export function natNote({ manip, before, after, hook }: NatEvent): string {
  const change = (one: Packet, other: Packet, side: "source" | "destination"): string => {
    const text = side === "source" ? sourceText : destinationText;
    return `${text(one)} -> ${text(other)}`;
  };
  const notes: string[] = [];
  const own = change(before, after, manip);
  const quoted =
    isIcmpError(before) && before.inner !== null && after.inner !== null
      ? change(before.inner, after.inner, manip === "source" ? "destination" : "source")
      : null;
  const address = manip === "source" ? [before.src, after.src] : [before.dst, after.dst];
  if (quoted === null || address[0] !== address[1]) notes.push(`${manip} ${own}`);
  if (quoted !== null) notes.push(`in the packet quoted ${quoted}`);
  return `${notes.join(", ")} (${hook})`;
}

/** `dropped: NETFILTER_DROP in nf_hook_slow (FORWARD filter FORWARD rule 3)`: the comment of a packet that ended here. */
export function dropNote({ reason, location, hook, table, chain, rule, detail, packet }: DropEvent): string {
  const chainText =
    chain === null ? null : `${chain} ${rule === null || rule === 0 ? "policy" : `rule ${rule}`}`;
  const place = [hook, table, chainText].filter((part) => part !== null).join(" ");
  const where = place === "" ? "" : ` (${place})`;
  const why = detail === null ? "" : `: ${detail}`;
  return `dropped: ${reason} in ${location}${where}${why}, on its way to ${formatIpv4(packet.dst)}`;
}
