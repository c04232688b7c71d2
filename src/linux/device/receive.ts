import { BROADCAST_MAC, ETH_P_ARP, ETH_P_IP } from "../../packet/packet.ts";
import {
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_LOOPBACK,
  PACKET_MULTICAST,
  PACKET_OTHERHOST,
  type PacketType,
  type Skb,
} from "../skb.ts";
import type { NetDevice } from "./device.ts";

/** `eth_type_trans` (net/ethernet/eth.c): whom is this frame for, seen from `dev`? */
export function ethTypeTrans(skb: Skb, dev: NetDevice): void {
  skb.dev = dev;
  skb.pktType = dev.headerless ? PACKET_HOST : frameType(skb.packet.dmac, dev.mac);
}

function frameType(dmac: number, mac: number): PacketType {
  if (dmac === mac) return PACKET_HOST;
  if (dmac === BROADCAST_MAC) return PACKET_BROADCAST;
  // the lowest bit of the first octet
  return Math.floor(dmac / 0x10000000000) & 1 ? PACKET_MULTICAST : PACKET_OTHERHOST;
}

/**
 * `__netif_receive_skb_core` (net/core/dev.c): tcpdump sees the frame; a bridge that owns the device takes it;
 * otherwise it goes to the protocol that its EtherType names.
 */
export function netifReceive(dev: NetDevice, skb: Skb): void {
  const netns = dev.netns;
  if (!dev.up) {
    netns.drop(skb, "DEV_READY", "__netif_receive_skb_core", null, `${dev.name} is down`);
    return;
  }
  skb.dev = dev;
  skb.inputIfindex = dev.ifindex;
  if (skb.pktType === PACKET_LOOPBACK) {
    netns.ipReceive(netns, skb);
    return;
  }
  const recorder = netns.network.recorder;
  if (recorder !== null) {
    recorder.record({
      type: "device",
      timeUs: netns.clock.nowUs,
      netns: netns.name,
      serial: skb.serial,
      device: dev.name,
      direction: "rx",
      packet: skb.packet.clone(),
      link: dev.headerless ? "raw" : "ethernet",
    });
  }
  if (dev.port !== null) {
    dev.port.bridge.handleFrame(dev.port, skb);
    return;
  }
  switch (skb.packet.etherType) {
    case ETH_P_IP:
      netns.ipReceive(netns, skb);
      return;
    case ETH_P_ARP:
      netns.arpReceive(netns, skb);
      return;
    default:
      netns.drop(skb, "UNHANDLED_PROTO", "__netif_receive_skb_core");
  }
}
