import type { Netns } from "../../linux/netns.ts";
import type { Skb } from "../../linux/skb.ts";
import { IPPROTO_ICMP, IPPROTO_TCP, TCP_ACK, TCP_SYN } from "../../packet/packet.ts";
import { sizeOf } from "../../trace/request.ts";
import type { ReachTarget } from "./target.ts";

/** What became of one packet and its answer. */
export interface Probe {
  readonly delivered: boolean;
  readonly answered: boolean;
}

const UDP_HEADER = 8;

/** Thrown when everything is known, and caught here: what else would happen is put back anyway. */
class Answered extends Error {}
const ANSWERED = new Answered("answered");

/**
 * Sends what `trace` would send, and only looks whether a listener gets it and the sender its answer: no event is made,
 * and all stops with the answer. The network has to be put back afterwards.
 */
export function probe(sender: Netns, target: ReachTarget): Probe {
  const { network, chooser } = sender;
  const [first, last] = sender.sysctl.localPortRange;
  const port = first + chooser.pick(last - first + 1, "port");
  let request = 0;
  let delivered = false;
  network.onDelivery = (netns, skb) => {
    if (skb.serial === request) delivered = true;
    else if (delivered && netns === sender && isAnswer(skb, port)) throw ANSWERED;
  };
  try {
    request = open(sender, target, port);
    if (request !== 0) network.settle();
    return { delivered, answered: false };
  } catch (error) {
    if (error === ANSWERED) return { delivered, answered: true };
    throw error;
  } finally {
    network.onDelivery = null;
  }
}

/** What a socket on `port` takes for its answer; nothing else comes to that port. A reset is none. */
function isAnswer({ packet }: Skb, port: number): boolean {
  const established = TCP_SYN | TCP_ACK;
  if (packet.protocol === IPPROTO_ICMP || packet.dport !== port) return false;
  return packet.protocol !== IPPROTO_TCP || (packet.tcpFlags & established) === established;
}

/** Opens a socket and sends; the packet's number, 0 when none could be sent. */
function open({ sockets }: Netns, target: ReachTarget, sourcePort: number): number {
  const to = { destination: target.address, destinationPort: target.port, sourcePort };
  switch (target.protocol) {
    case "tcp": {
      const connection = sockets.tcp.connect(to);
      return typeof connection === "string" ? 0 : connection.synSerial;
    }
    case "udp": {
      sockets.udp.bind({ address: 0, port: sourcePort, owner: null, receive: () => {} });
      const payloadLength = sizeOf("udp", undefined) - UDP_HEADER;
      return sockets.udp.send({ ...to, payloadLength, discovery: "dont" }).serial;
    }
    case "sctp":
      return sockets.sctp.connect({ ...to, onAnswer: () => {} }).serial;
  }
}
