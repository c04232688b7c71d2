import { isFragment, type Packet } from "../../packet/packet.ts";

/**
 * `udp_flow_src_port` (include/net/udp.h): a tunnel's source port stands for the inner flow, so that one flow keeps
 * one path. A TCP socket's packets carry a hash of their connection's (`given`), which is drawn at random. For others
 * `skb_get_hash` goes by the headers, of any fragment, the first too, by addresses and protocol alone
 * (net/core/flow_dissector.c); its key is drawn at boot, this one is fixed, which is one of those it could have been.
 */
export function flowHash(p: Packet, given: number, [low, high]: readonly [number, number]): number {
  const hash = given === 0 ? headerHash(p) : given;
  return low + Math.floor((hash / 0x100000000) * (high - low));
}

function headerHash(p: Packet): number {
  const ports = isFragment(p) ? 0 : (p.sport << 16) | p.dport;
  let h = Math.imul(p.src, 0x9e3779b1) ^ Math.imul(p.dst, 0x85ebca77) ^ p.protocol;
  h = Math.imul(h ^ (h >>> 15) ^ ports, 0xc2b2ae3d);
  return (h ^ (h >>> 16)) >>> 0;
}
