import { ETH_P_ARP, ETH_P_IP, type Packet } from "../packet.ts";
import { afterHeader, DecodeError, type Extent, requireBytes, viewOf } from "./extent.ts";

/** Bytes of an Ethernet header without VLAN tag. */
export const ETH_HLEN = 14;

/** An Ethernet frame around `payload`, without padding to the minimum size and without frame check sequence. */
export function encodeEthernet(p: Packet, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ETH_HLEN + payload.length);
  const view = new DataView(bytes.buffer);
  setMac(view, 0, p.dmac);
  setMac(view, 6, p.smac);
  view.setUint16(12, p.etherType);
  bytes.set(payload, ETH_HLEN);
  return bytes;
}

/**
 * Reads the Ethernet header into `p`; gives what follows.
 *
 * @throws DecodeError when the frame carries neither IPv4 nor ARP
 */
export function decodeEthernet(frame: Extent, p: Packet): Extent {
  requireBytes(frame, ETH_HLEN, "Ethernet header");
  const view = viewOf(frame);
  p.dmac = getMac(view, 0);
  p.smac = getMac(view, 6);
  p.etherType = view.getUint16(12);
  if (p.etherType !== ETH_P_IP && p.etherType !== ETH_P_ARP) {
    throw new DecodeError(frame.start + 12, `EtherType 0x${p.etherType.toString(16).padStart(4, "0")}`);
  }
  return afterHeader(frame, ETH_HLEN);
}

/** Reads a MAC address, which is too wide for bit operations. */
export function getMac(view: DataView, offset: number): number {
  return view.getUint16(offset) * 2 ** 32 + view.getUint32(offset + 2);
}

/** Writes a MAC address. */
export function setMac(view: DataView, offset: number, mac: number): void {
  view.setUint16(offset, Math.floor(mac / 2 ** 32));
  view.setUint32(offset + 2, mac % 2 ** 32);
}
