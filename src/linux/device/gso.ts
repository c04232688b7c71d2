import { ipTotalLength, TCP_FIN, TCP_PSH } from "../../packet/packet.ts";
import type { Skb } from "../skb.ts";

/**
 * `skb_gso_segment`: a TCP packet longer than its sender's segment size is cut, because the device it leaves by does
 * not do it by itself. A tunnel's packet is cut inside, each piece with an outer header of its own.
 */
export function gsoSegment(skb: Skb): Skb[] {
  const size = skb.gsoSize;
  const total = innermost(skb).payloadLength;
  const segments: Skb[] = [];
  for (let offset = 0; offset < total; offset += size) {
    const segment = skb.clone();
    segment.gsoSize = 0;
    const length = Math.min(size, total - offset);
    const p = cloneInner(segment);
    p.seq = (p.seq + offset) >>> 0;
    p.id = (p.id + segments.length) & 0xffff;
    p.payloadLength = length;
    if (offset + length < total) p.tcpFlags &= ~(TCP_FIN | TCP_PSH);
    if (segment.packet.inner !== null)
      segment.packet.payloadLength += ipTotalLength(p) - ipTotalLength(innermost(skb));
    segments.push(segment);
  }
  return segments;
}

const innermost = (skb: Skb) => skb.packet.inner ?? skb.packet;

/** The TCP packet of a segment, ready to be changed. */
function cloneInner(segment: Skb) {
  if (segment.packet.inner === null) return segment.packet;
  segment.packet.inner = segment.packet.inner.clone();
  return segment.packet.inner;
}
