import { BROADCAST_MAC, ETH_P_ARP, type Packet } from "../../packet/packet.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { NetDevice } from "./device.ts";
import { ethTypeTrans } from "./receive.ts";

/** A machine on the wire that nobody has spoken to yet, and that is made when somebody does. */
export interface Sleeper {
  /** Its NIC's address. */
  readonly mac: number;
  /** Addresses that it would answer an ARP request for. */
  readonly addresses: readonly number[];
  /** More of them, which others have too: one set for all who share it. */
  readonly sharedAddresses: ReadonlySet<number>;
  /** Makes it; its NIC is on the segment afterwards. */
  wake(): void;
}

/** A wire with a switch that has learned every address: an L2 segment that joins NICs. */
export class Segment {
  readonly name: string;
  readonly nics: Nic[] = [];
  private readonly byMac = new Map<number, Nic>();
  /** Those who have not been made, by MAC, and all whom an ARP request for an address could concern. */
  private readonly sleepers = new Map<number, Sleeper>();
  private readonly sleepersByAddress = new Map<number, Sleeper[]>();
  private readonly sharedAddresses = new Set<ReadonlySet<number>>();

  constructor(name: string) {
    this.name = name;
  }

  attach(nic: Nic): void {
    this.nics.push(nic);
    this.byMac.set(nic.mac, nic);
    this.sleepers.delete(nic.mac);
  }

  /**
   * Somebody is on the wire who wakes up when a frame comes that could change something with him or that he would
   * answer. From then on nobody here is told of ARP packets that are none of his business: there may be thousands.
   */
  expect(sleeper: Sleeper): void {
    this.sleepers.set(sleeper.mac, sleeper);
    for (const address of sleeper.addresses) {
      const known = this.sleepersByAddress.get(address);
      if (known === undefined) this.sleepersByAddress.set(address, [sleeper]);
      else known.push(sleeper);
    }
    this.sharedAddresses.add(sleeper.sharedAddresses);
  }

  private rouse({ dmac, etherType, dst }: Packet): void {
    if (etherType === ETH_P_ARP && dmac === BROADCAST_MAC) {
      for (const sleeper of this.sleepersByAddress.get(dst) ?? []) this.wake(sleeper);
      for (const shared of this.sharedAddresses)
        if (shared.has(dst))
          for (const sleeper of [...this.sleepers.values()])
            if (sleeper.sharedAddresses === shared) this.wake(sleeper);
    } else if (isGroup(dmac)) for (const sleeper of [...this.sleepers.values()]) this.wake(sleeper);
    else {
      const sleeper = this.sleepers.get(dmac);
      if (sleeper !== undefined) this.wake(sleeper);
    }
  }

  private wake(sleeper: Sleeper): void {
    if (this.sleepers.delete(sleeper.mac)) sleeper.wake();
  }

  /** Carries a frame to whom it is for; broadcast and unknown addresses to everybody else on the wire. */
  carry(from: Nic, skb: Skb): void {
    const { packet } = skb;
    if (this.sleepers.size > 0) this.rouse(packet);
    const to = packet.dmac === BROADCAST_MAC ? undefined : this.byMac.get(packet.dmac);
    if (to !== undefined) {
      if (to !== from) arrive(to, skb);
      else from.netns.drop(skb, "NOT_SPECIFIED", "segment", null, "the frame is for its own sender");
      return;
    }
    const selects = this.sleepersByAddress.size > 0 && packet.etherType === ETH_P_ARP;
    const owners = selects ? this.ownersOf(packet.dst) : null;
    for (const nic of this.nics)
      if (nic !== from && (owners === null || owners.has(nic.mac) || isConcerned(nic, packet)))
        arrive(nic, skb.clone());
  }

  /** The MACs of those who expect to be asked for an address; null when that is everybody. */
  private ownersOf(address: number): ReadonlySet<number> | null {
    for (const shared of this.sharedAddresses) if (shared.has(address)) return null;
    return new Set(this.sleepersByAddress.get(address)?.map(({ mac }) => mac));
  }
}

/**
 * Does an ARP packet that comes to everybody change something with this receiver, or will it be answered? It will by who
 * has the address that is asked for, and it does with who knows the sender (net/ipv4/arp.c: arp_process).
 */
function isConcerned(nic: Nic, { src, dst }: Packet): boolean {
  const { fib, neighbours } = nic.netns;
  // its addresses are those that were told beforehand
  const isAsExpected = nic.expectedChanges === fib.localChanges;
  return (!isAsExpected && fib.lookupLocal(dst) !== null) || neighbours.find(nic, src) !== null;
}

/** Broadcast and multicast. */
const isGroup = (mac: number): boolean => Math.floor(mac / 2 ** 40) % 2 === 1;

function arrive(nic: Nic, skb: Skb): void {
  skb.scrub();
  ethTypeTrans(skb, nic);
  nic.netns.network.enqueue(nic, skb);
}

/** A physical interface on a segment. */
export class Nic extends NetDevice {
  readonly kind = "nic";
  readonly segment: Segment;
  /** The state of the local table in which its machine has just those addresses that the segment was told; -1 for none. */
  expectedChanges = -1;

  constructor(netns: Netns, name: string, mac: number, mtu: number, segment: Segment) {
    super(netns, name, mac, mtu);
    this.segment = segment;
    segment.attach(this);
  }

  transmit(skb: Skb): void {
    this.segment.carry(this, skb);
  }
}
