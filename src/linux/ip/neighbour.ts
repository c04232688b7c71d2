import { BROADCAST_MAC, ipTotalLength } from "../../packet/packet.ts";
import type { Timer } from "../clock.ts";
import type { NetDevice } from "../device/device.ts";
import { devQueueXmit } from "../device/transmit.ts";
import { RTN_BROADCAST, RTN_MULTICAST } from "../netfilter/context.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { arpSolicit } from "./arp-send.ts";
import { addressType } from "./route-output.ts";

export type NeighbourState =
  | "NONE"
  | "INCOMPLETE"
  | "REACHABLE"
  | "STALE"
  | "DELAY"
  | "PROBE"
  | "FAILED"
  | "PERMANENT"
  | "NOARP";

/** Defaults of net.ipv4.neigh.DEV.* (net/ipv4/arp.c: arp_tbl). */
const REACHABLE_TIME_US = 30_000_000;
const RETRANS_TIME_US = 1_000_000;
const DELAY_PROBE_TIME_US = 5_000_000;
const MCAST_SOLICIT = 3;
const UCAST_SOLICIT = 3;
/** net.ipv4.neigh.DEV.unres_qlen_bytes (SK_WMEM_MAX): what may wait, counted in memory taken. */
const QUEUE_BYTES = 212_992;
const SK_BUFF_BYTES = 256;
const SHARED_INFO_BYTES = 320;
/** Heads up to this size come from a cache of their own (net/core/skbuff.c: skb_small_head_cache). */
const SMALL_HEAD_BYTES = 576;

/** `skb->truesize` of a packet of a local socket's: its head is allocated in powers of two. */
function trueSize(skb: Skb): number {
  const data = (ipTotalLength(skb.packet) + 31 + 63) & ~63;
  const head = data + SHARED_INFO_BYTES;
  return SK_BUFF_BYTES + (head <= SMALL_HEAD_BYTES ? SMALL_HEAD_BYTES : 2 ** Math.ceil(Math.log2(head)));
}

/** One neighbour: `struct neighbour`. Who it is, how sure we are, and who waits for the answer. */
export class Neighbour {
  readonly table: NeighbourTable;
  readonly dev: NetDevice;
  /** Its IPv4 address, unsigned 32-bit. */
  readonly address: number;
  mac = 0;
  /** `hh.hh_len`: an Ethernet header for it has been built once, so it need not be built again. */
  headerCached = false;
  private current: NeighbourState = "NONE";
  private confirmedUs = 0;
  private probes = 0;
  private timer: Timer | null = null;
  private queue: Skb[] = [];
  private queueBytes = 0;

  constructor(table: NeighbourTable, dev: NetDevice, address: number) {
    this.table = table;
    this.dev = dev;
    this.address = address;
  }

  /** The state now: what was reachable and has not been heard of for long is stale. */
  get state(): NeighbourState {
    if (
      this.current === "REACHABLE" &&
      this.confirmedUs + REACHABLE_TIME_US <= this.table.netns.clock.nowUs
    ) {
      this.touch();
      this.current = "STALE";
    }
    return this.current;
  }

  /** NUD_CONNECTED */
  get connected(): boolean {
    const state = this.state;
    return state === "REACHABLE" || state === "PERMANENT" || state === "NOARP";
  }

  /** NUD_VALID: its MAC is known. */
  get valid(): boolean {
    const state = this.state;
    return state !== "NONE" && state !== "INCOMPLETE" && state !== "FAILED";
  }

  /** `neigh_output`: put the Ethernet header on and send, or find out the MAC first. */
  output(skb: Skb): void {
    if (this.connected && this.headerCached) this.send(skb);
    else this.resolveOutput(skb);
  }

  /** `neigh_resolve_output` */
  resolveOutput(skb: Skb): void {
    this.touch();
    if (!this.eventSend(skb)) return;
    if (!this.dev.headerless) this.headerCached = true;
    this.send(skb);
  }

  private send(skb: Skb): void {
    const dev = this.dev;
    skb.dev = dev;
    if (!dev.headerless) {
      skb.packet.dmac = this.mac;
      skb.packet.smac = dev.mac;
    }
    devQueueXmit(skb);
  }

  /** `__neigh_event_send`: true when the packet may go at once; otherwise it waits, and a question has been asked. */
  private eventSend(skb: Skb): boolean {
    const state = this.state;
    if (this.connected || state === "DELAY" || state === "PROBE") return true;
    if (state === "STALE") {
      this.become("DELAY", skb);
      this.setTimer(DELAY_PROBE_TIME_US);
      return true;
    }
    const fresh = state !== "INCOMPLETE";
    if (fresh) {
      this.probes = UCAST_SOLICIT;
      this.become("INCOMPLETE", skb);
    }
    const size = trueSize(skb);
    while (this.queue.length > 0 && this.queueBytes + size > QUEUE_BYTES) {
      const oldest = this.queue.shift()!;
      this.queueBytes -= trueSize(oldest);
      this.table.waiting--;
      this.table.netns.drop(oldest, "NEIGH_QUEUEFULL", "__neigh_event_send");
    }
    this.queue.push(skb);
    this.queueBytes += size;
    this.table.waiting++;
    this.table.netns.network.resolving.add(this.table);
    if (fresh) {
      this.probe();
      this.setTimer(RETRANS_TIME_US);
    }
    return false;
  }

  /** `neigh_probe` → `arp_solicit` */
  private probe(): void {
    const unicast = this.probes < UCAST_SOLICIT;
    arpSolicit(this.dev, this.address, unicast ? this.mac : BROADCAST_MAC, this.queue.at(-1) ?? null);
    this.probes++;
  }

  private setTimer(delayUs: number): void {
    this.stopTimer();
    this.timer = this.table.netns.clock.schedule(delayUs, () => this.timeout());
  }

  private stopTimer(): void {
    if (this.timer !== null) this.timer.cancelled = true;
    this.timer = null;
  }

  /** It is about to change. */
  private touch(): void {
    const { journal } = this.table.netns.clock;
    if (journal === null) return;
    journal.keep(this);
    journal.keep(this.queue);
    journal.keep(this.table);
  }

  /** `neigh_timer_handler` */
  private timeout(): void {
    this.touch();
    this.timer = null;
    if (this.current === "DELAY") {
      this.probes = 0;
      this.become("PROBE", null);
    }
    if (this.current !== "INCOMPLETE" && this.current !== "PROBE") return;
    const limit = this.current === "PROBE" ? UCAST_SOLICIT : UCAST_SOLICIT + MCAST_SOLICIT;
    if (this.probes >= limit) {
      this.become("FAILED", null);
      this.headerCached = false;
      this.invalidate();
      return;
    }
    this.probe();
    this.setTimer(RETRANS_TIME_US);
  }

  /** `neigh_invalidate` → `arp_error_report` → `ipv4_link_failure`: whoever waited hears that the host is unreachable. */
  private invalidate(): void {
    const { netns } = this.table;
    for (const skb of this.takeQueue()) {
      netns.icmpSend(netns, skb, 3, 1, 0);
      netns.drop(skb, "NEIGH_FAILED", "arp_error_report");
    }
  }

  private takeQueue(): Skb[] {
    const queue = this.queue;
    this.queue = [];
    this.queueBytes = 0;
    this.table.waiting -= queue.length;
    // who may have to wait here once more stays as it is
    return this.table.netns.clock.journal === null ? queue : queue.map((skb) => skb.double());
  }

  /**
   * `neigh_update`: we have heard from it. With `confirmed` it answered us; otherwise it merely asked something, which
   * proves its MAC but not that it hears us.
   */
  update(mac: number, confirmed: boolean, override: boolean): void {
    const state = this.state;
    if (state === "PERMANENT" || state === "NOARP") return;
    this.touch();
    const wasValid = this.valid;
    const sameMac = wasValid && mac === this.mac;
    if (wasValid && !sameMac && !override) return;
    if (!confirmed && sameMac && (state === "REACHABLE" || state === "DELAY" || state === "PROBE")) return;
    if (!sameMac) this.headerCached = false;
    this.mac = mac;
    this.stopTimer();
    if (confirmed) this.confirmedUs = this.table.netns.clock.nowUs;
    this.become(confirmed ? "REACHABLE" : "STALE", null);
    if (!wasValid) for (const skb of this.takeQueue()) this.resolveOutput(skb);
  }

  /** `dst_confirm_neigh`: a connection through it makes progress, so it hears us. */
  confirm(): void {
    if (
      this.current !== "REACHABLE" &&
      this.current !== "STALE" &&
      this.current !== "DELAY" &&
      this.current !== "PROBE"
    )
      return;
    this.touch();
    this.confirmedUs = this.table.netns.clock.nowUs;
    if (this.current === "REACHABLE") return;
    this.stopTimer();
    this.become("REACHABLE", null);
  }

  /** `ip neigh add … nud permanent`, and what needs no ARP. */
  fix(mac: number, state: "PERMANENT" | "NOARP" | "REACHABLE" | "STALE"): void {
    this.touch();
    this.stopTimer();
    this.mac = mac;
    this.headerCached = false;
    this.confirmedUs = this.table.netns.clock.nowUs;
    this.current = state;
    if (state !== "STALE") for (const skb of this.takeQueue()) this.resolveOutput(skb);
  }

  /** `neigh_delete`: somebody deletes the entry, and whoever waits for an answer hears that there will be none. */
  fail(): void {
    const wasAsking = this.current === "INCOMPLETE" || this.current === "PROBE";
    this.touch();
    this.stopTimer();
    if (!wasAsking) return;
    this.become("FAILED", null);
    this.invalidate();
  }

  /** Drops what waits and stops asking: the entry is being deleted. */
  destroy(): void {
    this.touch();
    this.stopTimer();
    for (const skb of this.takeQueue()) this.table.netns.drop(skb, "NEIGH_DEAD", "neigh_destroy");
  }

  private become(state: NeighbourState, skb: Skb | null): void {
    this.current = state;
    const { netns } = this.table;
    const recorder = netns.network.recorder;
    if (recorder === null || state === "NONE") return;
    recorder.record({
      type: "neighbour",
      timeUs: netns.clock.nowUs,
      netns: netns.name,
      serial: skb?.serial ?? this.queue[0]?.serial ?? 0,
      device: this.dev.name,
      address: this.address,
      state,
    });
  }
}

/** The neighbours of a namespace, by device and address (net/core/neighbour.c; arp_tbl). */
export class NeighbourTable {
  readonly netns: Netns;
  /** Packets that wait for an answer, over all neighbours. */
  waiting = 0;
  private readonly byDevice = new Map<NetDevice, Map<number, Neighbour>>();

  constructor(netns: Netns) {
    this.netns = netns;
  }

  find(dev: NetDevice, address: number): Neighbour | null {
    return this.byDevice.get(dev)?.get(address) ?? null;
  }

  /** `neigh_lookup`, creating: how it must be resolved follows from the device and the address (arp_constructor). */
  get(dev: NetDevice, address: number): Neighbour {
    const { journal } = this.netns.clock;
    let ofDevice = this.byDevice.get(dev);
    if (ofDevice === undefined) {
      journal?.set(this.byDevice, dev);
      ofDevice = new Map();
      this.byDevice.set(dev, ofDevice);
    }
    let neighbour = ofDevice.get(address);
    if (neighbour === undefined) {
      neighbour = new Neighbour(this, dev, address);
      journal?.set(ofDevice, address);
      ofDevice.set(address, neighbour);
      const type = addressType(this.netns, address, null);
      if (type === RTN_MULTICAST) neighbour.fix(0x01005e000000 + (address & 0x7fffff), "NOARP");
      else if (dev.noarp) neighbour.fix(dev.mac, "NOARP");
      else if (type === RTN_BROADCAST) neighbour.fix(BROADCAST_MAC, "NOARP");
    }
    return neighbour;
  }

  /** `ip neigh replace ADDRESS lladdr MAC nud permanent dev DEV` */
  addPermanent(dev: NetDevice, address: number, mac: number): void {
    this.get(dev, address).fix(mac, "PERMANENT");
  }

  /** `ip neigh del` */
  remove(dev: NetDevice, address: number): boolean {
    const neighbour = this.find(dev, address);
    if (neighbour === null) return false;
    neighbour.fail();
    this.forget(neighbour);
    return true;
  }

  private forget(neighbour: Neighbour): void {
    neighbour.destroy();
    const ofDevice = this.byDevice.get(neighbour.dev)!;
    this.netns.clock.journal?.delete(ofDevice, neighbour.address);
    ofDevice.delete(neighbour.address);
  }

  /** `neigh_flush_dev`: what a device that goes down leaves, permanent entries; nobody is told. */
  flush(dev: NetDevice): void {
    for (const neighbour of [...(this.byDevice.get(dev)?.values() ?? [])])
      if (neighbour.state !== "PERMANENT") this.forget(neighbour);
  }

  *entries(): IterableIterator<Neighbour> {
    this.netns.fib.complete();
    for (const ofDevice of this.byDevice.values()) yield* ofDevice.values();
  }
}

/** `ip_neigh_for_gw`, `dst_neigh_lookup`: the neighbour that a packet to `nextHop` by `dev` is handed to. */
export const neighbourFor = (netns: Netns, dev: NetDevice, nextHop: number): Neighbour =>
  // lo and TUN have one neighbour for everybody (__ipv4_neigh_lookup_noref: key INADDR_ANY)
  netns.neighbours.get(dev, dev.loopback || dev.headerless ? 0 : nextHop);
