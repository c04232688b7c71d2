import { ipTotalLength, isFragment, type Packet } from "../../packet/packet.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";

const IP_HEADER = 20;

/**
 * `ip_do_fragment` (net/ipv4/ip_output.c): cuts a packet so that each piece fits `mtu`, or, when it was put together
 * of fragments that all fit, along the old cuts. Each piece is handed to `output`.
 */
export function ipFragment(netns: Netns, skb: Skb, mtu: number, output: (fragment: Skb) => void): void {
  const whole = skb.packet;
  const old = oldCuts(skb, mtu);
  const cuts = old ?? newCuts(ipTotalLength(whole) - IP_HEADER, cutSize(skb, mtu));
  const last = cuts.length - 1;
  if (last === 0) {
    output(skb);
    return;
  }
  // DF is kept where all pieces had it (IPSKB_FRAG_PMTU), but ip_fraglist_prepare forgets it
  const df = old === null && skb.fragMaxSize !== 0 ? whole.df : 0;
  const base = isFragment(whole) ? whole.fragOffset : 0;
  const datagram = whole.datagram ?? whole.clone();
  report(netns, skb, "split");
  let offset = 0;
  for (let i = 0; i <= last; i++) {
    const piece = skb.clone();
    const p = piece.packet;
    p.datagram = datagram;
    p.fragOffset = base + offset;
    p.mf = i < last ? 1 : whole.mf;
    p.payloadLength = cuts[i]!;
    p.df = df;
    if (p.fragOffset > 0) forgetTransport(p);
    piece.fragMaxSize = 0;
    piece.fragLengths = null;
    offset += cuts[i]!;
    output(piece);
  }
}

const cutSize = (skb: Skb, mtu: number): number =>
  (skb.fragMaxSize !== 0 && skb.fragMaxSize < mtu ? skb.fragMaxSize : mtu) - IP_HEADER;

/**
 * The fast path: the fragments of which the packet was made go out again as they came. Not into a VXLAN device: what
 * has come over Ethernet has no room for its headers (`skb_headroom(frag) < hlen + ll_rs`).
 */
function oldCuts(skb: Skb, mtu: number): readonly number[] | null {
  const lengths = skb.fragLengths;
  if (lengths === null || skb.route?.dev.kind === "vxlan") return null;
  return lengths.every((length) => length + IP_HEADER <= mtu) ? lengths : null;
}

function newCuts(length: number, room: number): number[] {
  const size = room & ~7;
  const cuts: number[] = [];
  for (let left = length; left > 0; left -= cuts[cuts.length - 1]!) cuts.push(left > room ? size : left);
  return cuts;
}

/** Only the first fragment has the transport header. */
function forgetTransport(p: Packet): void {
  p.sport = 0;
  p.dport = 0;
  p.tcpFlags = 0;
  p.icmpType = 0;
  p.icmpCode = 0;
  p.inner = null;
}

function report(netns: Netns, skb: Skb, action: "split"): void {
  const recorder = netns.network.recorder;
  if (recorder === null) return;
  recorder.record({
    type: "fragment",
    timeUs: netns.clock.nowUs,
    netns: netns.name,
    serial: skb.serial,
    action,
    packet: skb.packet.clone(),
  });
}
