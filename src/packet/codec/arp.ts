import { ETH_P_IP, type Packet } from "../packet.ts";
import { getMac, setMac } from "./ethernet.ts";
import { DecodeError, type Extent, requireBytes, viewOf } from "./extent.ts";

/** Bytes of an ARP packet for IPv4 over Ethernet (RFC 826). */
export const ARP_LENGTH = 28;

const ARPHRD_ETHER = 1;
/** Hardware address length 6, protocol address length 4. */
const ADDRESS_LENGTHS = 0x0604;

/** The ARP packet that follows the Ethernet header. */
export function encodeArp(p: Packet): Uint8Array {
  const bytes = new Uint8Array(ARP_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, ARPHRD_ETHER);
  view.setUint16(2, ETH_P_IP);
  view.setUint16(4, ADDRESS_LENGTHS);
  view.setUint16(6, p.arpOp);
  setMac(view, 8, p.arpSenderMac);
  view.setUint32(14, p.src);
  setMac(view, 18, p.arpTargetMac);
  view.setUint32(24, p.dst);
  return bytes;
}

/**
 * Reads an ARP packet into `p`; padding after it is passed over.
 *
 * @throws DecodeError when it is not about IPv4 over Ethernet
 */
export function decodeArp(extent: Extent, p: Packet): void {
  requireBytes(extent, ARP_LENGTH, "ARP packet");
  const view = viewOf(extent);
  if (
    view.getUint16(0) !== ARPHRD_ETHER ||
    view.getUint16(2) !== ETH_P_IP ||
    view.getUint16(4) !== ADDRESS_LENGTHS
  ) {
    throw new DecodeError(extent.start, "ARP that is not about IPv4 over Ethernet");
  }
  p.arpOp = view.getUint16(6);
  p.arpSenderMac = getMac(view, 8);
  p.src = view.getUint32(14);
  p.arpTargetMac = getMac(view, 18);
  p.dst = view.getUint32(24);
}
