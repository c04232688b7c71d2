import { formatIpv4, formatMac } from "../../src/packet/address.ts";
import { internetChecksum, pseudoHeaderSum } from "../../src/packet/checksum.ts";
import { decodeFrame } from "../../src/packet/codec/index.ts";
import { ETH_P_ARP, isIcmpError, type Packet } from "../../src/packet/packet.ts";
import { summarize } from "../../src/packet/summary.ts";

/** Everything of a frame that two runs must agree on, in one line; identifiers and sequence numbers are not among it. */
export function frameLine(p: Packet): string {
  const macs = `${shortMac(p.smac)}>${shortMac(p.dmac)}`;
  if (p.etherType === ETH_P_ARP)
    return `${macs} ${summarize(p)} (${shortMac(p.arpSenderMac)} ${shortMac(p.arpTargetMac)})`;
  const tos = p.tos === 0 ? "" : ` tos ${p.tos.toString(16)}`;
  if (!isIcmpError(p) || p.inner === null) return `${macs} ${summarize(p)}${tos}`;
  const info = p.icmpType === 5 ? ` gw ${formatIpv4(p.icmpInfo)}` : "";
  return `${macs} ${summarize(p)}${tos}${info} quotes ${p.payloadLength}: ${summarize(p.inner)}`;
}

/** The last two octets tell the devices of a plan apart. */
const shortMac = (mac: number): string => formatMac(mac).slice(-5);

/** The same of a frame as captured. */
export const capturedLine = (bytes: Uint8Array): string => frameLine(decodeFrame(withChecksums(bytes)));

/** Checksums that were left to the device are not in a captured frame yet. */
function withChecksums(frame: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(frame);
  const view = new DataView(bytes.buffer);
  const fragment = view.getUint16(20) & 0x3fff;
  if (view.getUint16(12) !== 0x0800 || bytes[14] !== 0x45 || fragment !== 0) return bytes;
  const end = 14 + view.getUint16(16);
  const protocol = bytes[23]!;
  if (protocol !== 1 || !ERRORS.includes(bytes[34]!)) settle(view, bytes, 14, end);
  else {
    settle(view, bytes, 42, end);
    view.setUint16(36, 0);
    view.setUint16(36, internetChecksum(bytes, 34, end));
  }
  return bytes;
}

const ERRORS: readonly number[] = [3, 5, 11, 12];

/** Puts the transport checksum right of the packet that begins at `at`, as far as it is all there. */
function settle(view: DataView, bytes: Uint8Array, at: number, end: number): void {
  const protocol = bytes[at + 9]!;
  if (protocol === 17) view.setUint16(at + 26, 0);
  if (protocol !== 6 || at + view.getUint16(at + 2) > end) return;
  const segment = at + 20;
  view.setUint16(segment + 16, 0);
  const sum = pseudoHeaderSum(view.getUint32(at + 12), view.getUint32(at + 16), 6, end - segment);
  view.setUint16(segment + 16, internetChecksum(bytes, segment, end, sum));
}
