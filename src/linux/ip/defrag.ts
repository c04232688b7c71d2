import { ICMP_TIME_EXCEEDED, type Packet, transportHeaderLength } from "../../packet/packet.ts";
import type { Timer } from "../clock.ts";
import { RTN_LOCAL } from "../netfilter/context.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { ipRouteInput } from "./route-input.ts";

/** Who asks for reassembly: each keeps queues of its own (enum ip_defrag_users). */
export type DefragUser = "local" | "conntrack-in" | "conntrack-out" | "bridge";

const ICMP_EXC_FRAGTIME = 1;

interface Queue {
  readonly fragments: Skb[];
  timer: Timer;
}

/** Reassembly of one namespace (net/ipv4/ip_fragment.c). */
export class Defragmenter {
  private readonly netns: Netns;
  private readonly queues = new Map<string, Queue>();

  constructor(netns: Netns) {
    this.netns = netns;
  }

  /**
   * `ip_defrag`: takes a fragment in. True when it completed its datagram: `skb` then is the whole datagram and goes
   * on. Otherwise it waits here, at most `net.ipv4.ipfrag_time` seconds.
   */
  add(skb: Skb, user: DefragUser): boolean {
    const p = skb.packet;
    const key = `${user} ${p.src} ${p.dst} ${p.id} ${p.protocol}`;
    const { journal } = this.netns.clock;
    let queue = this.queues.get(key);
    if (queue === undefined) {
      journal?.set(this.queues, key);
      const delayUs = this.netns.sysctl.scalar["net.ipv4.ipfrag_time"] * 1_000_000;
      queue = { fragments: [], timer: this.netns.clock.schedule(delayUs, () => this.expire(key)) };
      this.queues.set(key, queue);
    }
    const { fragments } = queue;
    journal?.keep(fragments);
    const at = fragments.findIndex((other) => other.packet.fragOffset >= p.fragOffset);
    if (at >= 0 && fragments[at]!.packet.fragOffset === p.fragOffset) return false;
    fragments.splice(at < 0 ? fragments.length : at, 0, skb);
    if (!complete(fragments)) {
      this.report(skb, "queued");
      return false;
    }
    queue.timer.cancelled = true;
    journal?.delete(this.queues, key);
    this.queues.delete(key);
    reassemble(skb, fragments);
    // nf_ct_ipv4_gather_frags: it came in pieces, so it may leave in pieces
    if (user !== "local") skb.ignoreDf = true;
    this.report(skb, "reassembled");
    return true;
  }

  private expire(key: string): void {
    const queue = this.queues.get(key);
    if (queue === undefined) return;
    this.netns.clock.journal?.delete(this.queues, key);
    this.queues.delete(key);
    const head = queue.fragments[0]!;
    if (head.packet.fragOffset === 0) this.complain(head);
    for (const skb of queue.fragments) this.netns.drop(skb, "FRAG_REASM_TIMEOUT", "ip_expire");
  }

  /** The sender is told, if the first piece is here and was for this namespace: a router in between is silent. */
  private complain(head: Skb): void {
    const { netns } = this;
    if (head.route === null && ipRouteInput(netns, head, head.dev!) !== null) return;
    if (head.route?.type === RTN_LOCAL) netns.icmpSend(netns, head, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0);
  }

  private report(skb: Skb, action: "queued" | "reassembled"): void {
    const recorder = this.netns.network.recorder;
    if (recorder === null) return;
    recorder.record({
      type: "fragment",
      timeUs: this.netns.clock.nowUs,
      netns: this.netns.name,
      serial: skb.serial,
      action,
      packet: skb.packet.clone(),
    });
  }
}

/** Do the fragments, in order, cover the datagram from its start to its last byte? */
function complete(fragments: readonly Skb[]): boolean {
  let next = 0;
  for (const { packet } of fragments) {
    if (packet.fragOffset > next) return false;
    next = packet.fragOffset + packet.payloadLength;
  }
  return fragments[fragments.length - 1]!.packet.mf === 0;
}

/** `ip_frag_reasm`: `skb`, the fragment that completed the datagram, becomes the datagram. */
function reassemble(skb: Skb, fragments: readonly Skb[]): void {
  const first = fragments[0]!.packet;
  const last = fragments[fragments.length - 1]!.packet;
  const total = last.fragOffset + last.payloadLength;
  const whole = (first.datagram ?? first).clone();
  copyIpHeader(whole, first);
  whole.datagram = null;
  whole.mf = 0;
  whole.fragOffset = 0;
  whole.payloadLength = total - transportHeaderLength(whole);
  // skb is one of the fragments: read them all before it becomes the whole
  const lengths = fragments.map(({ packet }) => packet.payloadLength);
  const largestDf = Math.max(
    0,
    ...fragments.map(({ packet }) => (packet.df ? packet.payloadLength + 20 : 0)),
  );
  skb.packet = whole;
  skb.fragLengths = lengths;
  skb.fragMaxSize = Math.max(...lengths) + 20;
  whole.df = largestDf === skb.fragMaxSize ? 1 : 0;
}

function copyIpHeader(to: Packet, from: Packet): void {
  to.dmac = from.dmac;
  to.smac = from.smac;
  to.tos = from.tos;
  to.id = from.id;
  to.ttl = from.ttl;
  to.src = from.src;
  to.dst = from.dst;
}
