import type { Packet } from "../../packet/packet.ts";

/**
 * `udp_flow_src_port` (include/net/udp.h): a tunnel's source port stands for the inner flow, so that one flow keeps
 * one path. The kernel's hash is keyed at boot; this one is fixed, which is one of the keys it could have had.
 */
export function flowHash(p: Packet, [low, high]: readonly [number, number]): number {
  let h = Math.imul(p.src, 0x9e3779b1) ^ Math.imul(p.dst, 0x85ebca77) ^ p.protocol;
  h = Math.imul(h ^ (h >>> 15) ^ ((p.sport << 16) | p.dport), 0xc2b2ae3d);
  h ^= h >>> 16;
  return low + Math.floor(((h >>> 0) / 0x100000000) * (high - low));
}
