import { internetChecksum, pseudoHeaderSum } from "../packet/checksum.ts";
import { decodeFrame, decodeIp, type TunnelPorts } from "../packet/codec/index.ts";
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, type Packet } from "../packet/packet.ts";

const ETH_HLEN = 14;
const IP_HLEN = 20;
const UDP_HLEN = 8;
const VXLAN_HLEN = 8;
const ETH_P_IP = 0x0800;
const ICMP_ERRORS: readonly number[] = [3, 4, 5, 11, 12];

/**
 * The packet of a captured frame. A tap sees TCP and UDP checksums before the device has filled them in
 * (CHECKSUM_PARTIAL), in tunnels too, so they are filled in here and not judged.
 *
 * @throws DecodeError for what is no packet of ours.
 */
export function decodeCaptured(captured: Uint8Array, link: "ethernet" | "raw", ports: TunnelPorts): Packet {
  const bytes = Uint8Array.from(captured);
  const view = new DataView(bytes.buffer);
  if (link === "raw") {
    completeIp(view, bytes, 0, bytes.length, ports);
    return decodeIp(bytes, { tunnelPorts: ports });
  }
  completeFrame(view, bytes, 0, bytes.length, ports);
  return decodeFrame(bytes, { tunnelPorts: ports });
}

function completeFrame(view: DataView, bytes: Uint8Array, at: number, end: number, ports: TunnelPorts): void {
  if (at + ETH_HLEN <= end && view.getUint16(at + 12) === ETH_P_IP)
    completeIp(view, bytes, at + ETH_HLEN, end, ports);
}

/** Fills in the checksums of the packet at `at`, inner packets first. What is cut off (a quote) is left alone. */
function completeIp(view: DataView, bytes: Uint8Array, at: number, limit: number, ports: TunnelPorts): void {
  if (at + IP_HLEN > limit || bytes[at] !== 0x45) return;
  const end = at + view.getUint16(at + 2);
  const isFragment = (view.getUint16(at + 6) & 0x3fff) !== 0;
  if (end > limit || isFragment) return;
  const transport = at + IP_HLEN;
  const protocol = bytes[at + 9]!;
  if (protocol === IPPROTO_TCP) {
    view.setUint16(transport + 16, 0);
    const sum = pseudoHeaderSum(view.getUint32(at + 12), view.getUint32(at + 16), protocol, end - transport);
    view.setUint16(transport + 16, internetChecksum(bytes, transport, end, sum));
  } else if (protocol === IPPROTO_UDP) {
    view.setUint16(transport + 6, 0);
    const port = view.getUint16(transport + 2);
    if (ports.flannelUdp.includes(port)) completeIp(view, bytes, transport + UDP_HLEN, end, ports);
    if (ports.vxlan.includes(port)) completeFrame(view, bytes, transport + UDP_HLEN + VXLAN_HLEN, end, ports);
  } else if (protocol === IPPROTO_ICMP && ICMP_ERRORS.includes(bytes[transport]!)) {
    completeIp(view, bytes, transport + 8, end, ports);
    view.setUint16(transport + 2, 0);
    view.setUint16(transport + 2, internetChecksum(bytes, transport, end));
  }
}
