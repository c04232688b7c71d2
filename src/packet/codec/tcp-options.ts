import {
  type Packet,
  TCP_ACK,
  TCPOPT_MSS,
  TCPOPT_SACK_PERM,
  TCPOPT_TIMESTAMP,
  TCPOPT_WSCALE,
  tcpOptionsLength,
} from "../packet.ts";

/** Option kinds and lengths on the wire (include/net/tcp.h). */
const NOP = 1;
const MSS = [2, 4] as const;
const WSCALE = [3, 3] as const;
const SACK_PERM = [4, 2] as const;
const TIMESTAMP = [8, 10] as const;

/** Stands for one byte of an option's value. */
const VALUE = -1;

const ALL_OPTIONS = TCPOPT_MSS | TCPOPT_SACK_PERM | TCPOPT_TIMESTAMP | TCPOPT_WSCALE;

/** What Linux announces with a receive buffer of the default largest size (net/ipv4/tcp_output.c: tcp_select_initial_window). */
const WINDOW_SCALE = 7;

/** The options' bytes in the order of net/ipv4/tcp_output.c: tcp_options_write, {@link VALUE} where values go. */
function layout(options: number): number[] {
  const bytes: number[] = [];
  if (options & TCPOPT_MSS) bytes.push(...MSS, VALUE, VALUE);
  if (options & TCPOPT_TIMESTAMP) {
    bytes.push(...(options & TCPOPT_SACK_PERM ? SACK_PERM : [NOP, NOP]), ...TIMESTAMP);
    for (let i = 0; i < 8; i++) bytes.push(VALUE);
  } else if (options & TCPOPT_SACK_PERM) {
    bytes.push(NOP, NOP, ...SACK_PERM);
  }
  if (options & TCPOPT_WSCALE) bytes.push(NOP, ...WSCALE, VALUE);
  return bytes;
}

/**
 * The bytes of the options that `p.tcpOptions` names.
 *
 * A packet has no field for timestamps: the sequence and acknowledgment numbers, which grow as clocks do, stand
 * for the sender's clock and its echo (0 without ACK: RFC 7323, 3.2).
 */
export function encodeTcpOptions(p: Packet): Uint8Array {
  const values: number[] = [];
  if (p.tcpOptions & TCPOPT_MSS) values.push(p.mss >>> 8, p.mss & 0xff);
  if (p.tcpOptions & TCPOPT_TIMESTAMP) {
    values.push(...octets(p.seq), ...octets(p.tcpFlags & TCP_ACK ? p.ack : 0));
  }
  if (p.tcpOptions & TCPOPT_WSCALE) values.push(WINDOW_SCALE);
  let next = 0;
  return Uint8Array.from(layout(p.tcpOptions), (byte) => (byte === VALUE ? values[next++]! : byte));
}

/**
 * Reads options laid out as Linux does into `p.tcpOptions` and `p.mss`; values of timestamps and of the window
 * scale are passed over.
 *
 * @param bytes the options, or as many of their bytes as there are
 * @param length how many bytes the header has for options
 * @returns false when no set of options has this layout
 */
export function decodeTcpOptions(bytes: Uint8Array, length: number, p: Packet): boolean {
  for (let options = 0; options <= ALL_OPTIONS; options++) {
    if (tcpOptionsLength(options) !== length) continue;
    const expected = layout(options);
    if (!bytes.every((byte, i) => expected[i] === VALUE || expected[i] === byte)) continue;
    p.tcpOptions = options;
    if (options & TCPOPT_MSS) p.mss = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
    return true;
  }
  return false;
}

function octets(n: number): number[] {
  return [n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff];
}
