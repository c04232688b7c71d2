/**
 * What a packet is: one flat object of numbers with one shape, whatever it carries.
 *
 * Addresses are unsigned 32-bit integers, MACs integers below 2^48, ports and ids unsigned 16-bit.
 * Encapsulation is a packet inside a packet (`inner`): a VXLAN frame, flannel's bare IP packet in a UDP
 * datagram, or the packet that an ICMP error quotes.
 */

export const ETH_P_IP = 0x0800;
export const ETH_P_ARP = 0x0806;

export const IPPROTO_ICMP = 1;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_SCTP = 132;

export const ARPOP_REQUEST = 1;
export const ARPOP_REPLY = 2;

export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;
export const TCP_URG = 0x20;

/** Bits of {@link Packet.tcpOptions}. */
export const TCPOPT_MSS = 1;
export const TCPOPT_SACK_PERM = 2;
export const TCPOPT_TIMESTAMP = 4;
export const TCPOPT_WSCALE = 8;
/** What a Linux SYN carries (20 bytes of options) and what every later segment carries (12 bytes). */
export const TCPOPTS_SYN = TCPOPT_MSS | TCPOPT_SACK_PERM | TCPOPT_TIMESTAMP | TCPOPT_WSCALE;
export const TCPOPTS_ESTABLISHED = TCPOPT_TIMESTAMP;

export const ICMP_ECHOREPLY = 0;
export const ICMP_DEST_UNREACH = 3;
export const ICMP_REDIRECT = 5;
export const ICMP_ECHO = 8;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETERPROB = 12;

export const ICMP_NET_UNREACH = 0;
export const ICMP_HOST_UNREACH = 1;
export const ICMP_PROT_UNREACH = 2;
export const ICMP_PORT_UNREACH = 3;
export const ICMP_FRAG_NEEDED = 4;

export const BROADCAST_MAC = 0xffffffffffff;

export class Packet {
  // Ethernet; a packet on a TUN device or inside flannel's UDP has no Ethernet header: `etherType` still says what it is
  dmac = 0;
  smac = 0;
  etherType = ETH_P_IP;

  // ARP: the protocol addresses are `src` (sender) and `dst` (target)
  arpOp = 0;
  arpSenderMac = 0;
  arpTargetMac = 0;

  // IPv4
  tos = 0;
  id = 0;
  /** 1 when Don't Fragment is set. */
  df = 0;
  /** 1 when More Fragments is set. */
  mf = 0;
  /** Offset of this fragment, in bytes (a multiple of 8). */
  fragOffset = 0;
  ttl = 64;
  protocol = 0;
  src = 0;
  dst = 0;

  // TCP, UDP, SCTP
  sport = 0;
  dport = 0;
  tcpFlags = 0;
  seq = 0;
  ack = 0;
  window = 0;
  /** TCPOPT_* bits. */
  tcpOptions = 0;
  mss = 0;

  // ICMP
  icmpType = 0;
  icmpCode = 0;
  icmpId = 0;
  icmpSeq = 0;
  /** Next-hop MTU of a frag-needed error, gateway address of a redirect. */
  icmpInfo = 0;

  /**
   * Bytes after the transport header. In a fragment: bytes after the IP header. In an ICMP error: bytes of
   * `inner` that are quoted. With `inner` in UDP it is derived (see codec) and kept up to date by who encapsulates.
   */
  payloadLength = 0;
  /** The bytes themselves where somebody cares; null stands for `payloadLength` zero bytes. */
  payload: Uint8Array | null = null;

  /** The packet inside this one (UDP: tunnel; ICMP error: the quoted packet, whole). */
  inner: Packet | null = null;
  /** VXLAN network identifier when `inner` is a VXLAN frame; -1 when it is a bare IP packet (flannel udp) or a quote. */
  vni = -1;
  /** In a fragment: the whole datagram it is a piece of. */
  datagram: Packet | null = null;

  /** A copy that may be changed without changing this one; `inner` and `payload` are shared, since nobody writes into them. */
  clone(): Packet {
    const p = new Packet();
    p.dmac = this.dmac;
    p.smac = this.smac;
    p.etherType = this.etherType;
    p.arpOp = this.arpOp;
    p.arpSenderMac = this.arpSenderMac;
    p.arpTargetMac = this.arpTargetMac;
    p.tos = this.tos;
    p.id = this.id;
    p.df = this.df;
    p.mf = this.mf;
    p.fragOffset = this.fragOffset;
    p.ttl = this.ttl;
    p.protocol = this.protocol;
    p.src = this.src;
    p.dst = this.dst;
    p.sport = this.sport;
    p.dport = this.dport;
    p.tcpFlags = this.tcpFlags;
    p.seq = this.seq;
    p.ack = this.ack;
    p.window = this.window;
    p.tcpOptions = this.tcpOptions;
    p.mss = this.mss;
    p.icmpType = this.icmpType;
    p.icmpCode = this.icmpCode;
    p.icmpId = this.icmpId;
    p.icmpSeq = this.icmpSeq;
    p.icmpInfo = this.icmpInfo;
    p.payloadLength = this.payloadLength;
    p.payload = this.payload;
    p.inner = this.inner;
    p.vni = this.vni;
    p.datagram = this.datagram;
    return p;
  }
}

/** Is this IPv4 packet a fragment (first, middle or last)? `ip_is_fragment` in include/net/ip.h. */
export const isFragment = (p: Packet): boolean => p.mf !== 0 || p.fragOffset !== 0;

/** Bytes of TCP options that the bits stand for, padded to four as Linux lays them out (net/ipv4/tcp_output.c: tcp_options_write). */
export function tcpOptionsLength(options: number): number {
  let length = 0;
  if (options & TCPOPT_MSS) length += 4;
  if (options & TCPOPT_TIMESTAMP) length += options & TCPOPT_SACK_PERM ? 10 : 12;
  if (options & TCPOPT_SACK_PERM) length += options & TCPOPT_TIMESTAMP ? 2 : 4;
  if (options & TCPOPT_WSCALE) length += 4;
  return length;
}

/** Bytes of the transport header of an unfragmented packet. */
export function transportHeaderLength(p: Packet): number {
  switch (p.protocol) {
    case IPPROTO_TCP:
      return 20 + tcpOptionsLength(p.tcpOptions);
    case IPPROTO_UDP:
    case IPPROTO_ICMP:
      return 8;
    case IPPROTO_SCTP:
      return 12;
    default:
      return 0;
  }
}

/** The IPv4 total length: header, transport header and payload, in bytes. */
export function ipTotalLength(p: Packet): number {
  return isFragment(p) ? 20 + p.payloadLength : 20 + transportHeaderLength(p) + p.payloadLength;
}

/** Is this an ICMP error, which quotes the packet it is about? (net/netfilter/nf_conntrack_proto_icmp.c, net/ipv4/icmp.c: icmp_pointers) */
export const isIcmpError = (p: Packet): boolean =>
  p.protocol === IPPROTO_ICMP &&
  (p.icmpType === ICMP_DEST_UNREACH ||
    p.icmpType === ICMP_TIME_EXCEEDED ||
    p.icmpType === ICMP_REDIRECT ||
    p.icmpType === ICMP_PARAMETERPROB ||
    p.icmpType === 4);
