import { parseIpv4, parseMac } from "../../src/packet/address.ts";
import {
  ARPOP_REQUEST,
  BROADCAST_MAC,
  ETH_P_ARP,
  ICMP_ECHO,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  Packet,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
} from "../../src/packet/packet.ts";

type Fields = Partial<Packet>;

const from = (fields: Fields): Packet => Object.assign(new Packet(), { id: 1 }, fields);

/** `udp("10.0.0.1:1000", "10.0.1.1:53", 10)`: ten bytes of payload. */
export function udp(source: string, destination: string, payloadLength = 10, fields: Fields = {}): Packet {
  return from({ protocol: IPPROTO_UDP, ...ends(source, destination), payloadLength, ...fields });
}

const FLAGS: Record<string, number> = { S: TCP_SYN, A: TCP_ACK, F: TCP_FIN, R: TCP_RST, P: TCP_PSH };

/** `tcp("10.0.0.1:1000", "10.0.1.1:80", "SA")` */
export function tcp(source: string, destination: string, flags: string, fields: Fields = {}): Packet {
  const tcpFlags = [...flags].reduce((all, letter) => all | FLAGS[letter]!, 0);
  return from({ protocol: IPPROTO_TCP, ...ends(source, destination), tcpFlags, window: 1000, ...fields });
}

/** An echo request. */
export function ping(source: string, destination: string, fields: Fields = {}): Packet {
  return from({
    protocol: IPPROTO_ICMP,
    src: parseIpv4(source),
    dst: parseIpv4(destination),
    icmpType: ICMP_ECHO,
    icmpId: 7,
    icmpSeq: 1,
    payloadLength: 8,
    ...fields,
  });
}

/** A packet with the MACs of its frame: `2` stands for 02:00:00:00:00:02, `1:1` for 02:00:00:00:01:01. */
export function frame(p: Packet, source: string, destination: string): Packet {
  const q = p.clone();
  q.smac = mac(source);
  q.dmac = mac(destination);
  return q;
}

export function arpRequest(source: string, senderMac: string, target: string): Packet {
  return from({
    etherType: ETH_P_ARP,
    smac: mac(senderMac),
    dmac: BROADCAST_MAC,
    arpOp: ARPOP_REQUEST,
    arpSenderMac: mac(senderMac),
    src: parseIpv4(source),
    dst: parseIpv4(target),
  });
}

function mac(short: string): number {
  if (short === "*") return BROADCAST_MAC;
  const octets = short.split(":").map((octet) => octet.padStart(2, "0"));
  if (octets.length === 6) return parseMac(octets.join(":"));
  const [high, low] = octets.length === 2 ? octets : ["00", octets[0]!];
  return parseMac(`02:00:00:00:${high}:${low}`);
}

function ends(source: string, destination: string) {
  const [src, sport] = source.split(":");
  const [dst, dport] = destination.split(":");
  return { src: parseIpv4(src!), dst: parseIpv4(dst!), sport: Number(sport ?? 0), dport: Number(dport ?? 0) };
}
