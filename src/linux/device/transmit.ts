import type { Skb } from "../skb.ts";
import { gsoSegment } from "./gso.ts";

/**
 * `dev_queue_xmit` (net/core/dev.c): the frame, complete with its Ethernet header, leaves by `skb.dev`.
 * This is where tcpdump sees outgoing frames.
 */
export function devQueueXmit(skb: Skb): void {
  const dev = skb.dev!;
  if (!dev.up) {
    dev.netns.drop(skb, "DEV_READY", "dev_queue_xmit", null, `${dev.name} is down`);
    return;
  }
  if (!dev.carrier) {
    // linkwatch has given the device the queue that swallows everything (noop_qdisc), before any tap
    dev.netns.drop(skb, "QDISC_DROP", "noop_enqueue", null, `${dev.name} has no carrier`);
    return;
  }
  if (skb.gsoSize !== 0 && !dev.gso) {
    for (const segment of gsoSegment(skb)) devQueueXmit(segment);
    return;
  }
  const recorder = dev.netns.network.recorder;
  if (recorder !== null) {
    recorder.record({
      type: "device",
      timeUs: dev.netns.clock.nowUs,
      netns: dev.netns.name,
      serial: skb.serial,
      device: dev.name,
      direction: "tx",
      packet: skb.packet.clone(),
      link: dev.headerless ? "raw" : "ethernet",
    });
  }
  dev.transmit(skb);
}
