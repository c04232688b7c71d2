import type { Chooser } from "./chooser.ts";
import { SeededChooser } from "./chooser.ts";
import { Clock } from "./clock.ts";
import type { NetDevice } from "./device/device.ts";
import { Segment } from "./device/segment.ts";
import type { NeighbourTable } from "./ip/neighbour.ts";
import { Journal } from "./journal.ts";
import { NamespaceMap } from "./namespace-map.ts";
import { Netns } from "./netns.ts";
import type { Recorder } from "./recorder.ts";
import type { Skb } from "./skb.ts";

/** Virtual time that a frame takes from one device to the next: enough to keep events in order, too little to matter. */
const CROSSING_US = 1;
/** Of a longer backlog nothing is kept when it has been worked off. */
const LONG_BACKLOG = 1024;
/** Frames handled before a run is taken for a storm that feeds itself. */
const STORM_LIMIT = 2_000_000;

/**
 * All namespaces and wires of one simulation, its clock, its chance, and who watches. A frame that crosses from one
 * device to another waits in `backlog`, as it does in a CPU's softnet queue, until `run` hands it on: so no packet
 * is inside another one's function calls, and a storm is a loop, not a deep stack.
 */
export class Network {
  readonly clock = new Clock();
  chooser: Chooser;
  /** Who is told what happens; null when nobody watches. */
  recorder: Recorder | null = null;
  /** Told of every packet that a socket or the kernel itself takes, at less cost than by a recorder; null when nobody asks. */
  onDelivery: ((netns: Netns, skb: Skb) => void) | null = null;
  readonly namespaces = new NamespaceMap();
  readonly segments = new Map<string, Segment>();
  /** Neighbour tables in which packets wait for an answer, and some in which they have waited. */
  readonly resolving = new Set<NeighbourTable>();
  /** Frames wait from `head` on, before `tail`; what stands elsewhere is left over. */
  private readonly backlog: Skb[] = [];
  private head = 0;
  private tail = 0;
  private lastSerial = 0;
  private txHashes = 0;
  private running = false;

  constructor(options: { seed?: number; chooser?: Chooser } = {}) {
    this.chooser = options.chooser ?? new SeededChooser(options.seed ?? 1);
  }

  /** Makes a namespace with nothing in it but its loopback, which is up. Throws RangeError when the name is taken. */
  addNetns(name: string): Netns {
    const netns = new Netns(this, name);
    this.namespaces.add(netns);
    return netns;
  }

  addSegment(name: string): Segment {
    if (this.segments.has(name)) throw new RangeError(`segment ${name} exists`);
    const segment = new Segment(name);
    this.segments.set(name, segment);
    return segment;
  }

  /** The namespace of that name; throws RangeError when there is none. */
  netns(name: string): Netns {
    const netns = this.namespaces.get(name);
    if (netns === undefined) throw new RangeError(`no namespace ${name}`);
    return netns;
  }

  nextSerial(): number {
    return ++this.lastSerial;
  }

  /**
   * `net_tx_rndhash`: a hash for a connection, in 32 bits, never 0. The golden ratio's multiples keep the first ten
   * thousand so far apart that no two are taken for one flow, as in the kernel they seldom are.
   */
  drawTxHash(): number {
    return (Math.imul(++this.txHashes, 0x9e3779b1) >>> 0) | 1;
  }

  /** What has changed since `checkpoint`; null in a plain run. */
  get journal(): Journal | null {
    return this.clock.journal;
  }

  /**
   * From here on, whatever packets change is noted, until `rollback`. What programs set up (devices, routes, rules,
   * listeners) is not: leave it alone meanwhile. Throws RangeError when a checkpoint stands already or frames wait.
   */
  checkpoint(): void {
    if (this.clock.journal !== null) throw new RangeError("a checkpoint stands already");
    if (this.tail > this.head) throw new RangeError("frames are on their way: run first");
    const journal = new Journal();
    const { lastSerial, txHashes } = this;
    const resolving = [...this.resolving];
    journal.undo(() => {
      this.lastSerial = lastSerial;
      this.txHashes = txHashes;
      for (const table of resolving) this.resolving.add(table);
    });
    this.clock.keep(journal);
    if (this.chooser instanceof SeededChooser) journal.keep(this.chooser);
    this.clock.journal = journal;
  }

  /** Sets something up that nobody is told of and that no rollback undoes. */
  quietly<T>(setUp: () => T): T {
    const { recorder } = this;
    const { journal } = this.clock;
    this.recorder = null;
    this.clock.journal = null;
    try {
      return setUp();
    } finally {
      this.recorder = recorder;
      this.clock.journal = journal;
    }
  }

  /** Puts everything back as it was at the checkpoint, which is gone then. Throws RangeError when there is none. */
  rollback(): void {
    const { journal } = this.clock;
    if (journal === null) throw new RangeError("there is no checkpoint");
    this.clock.journal = null;
    journal.rollback();
  }

  /** `netif_rx`: a frame has arrived at a device and will be received in its turn. */
  enqueue(dev: NetDevice, skb: Skb): void {
    skb.dev = dev;
    this.backlog[this.tail++] = skb;
  }

  /** Hands on every waiting frame, and those that come of them, until none waits. No timer runs meanwhile. */
  run(): void {
    if (this.running) return;
    this.running = true;
    try {
      while (this.head < this.tail) {
        const skb = this.backlog[this.head]!;
        this.head++;
        this.clock.nowUs += CROSSING_US;
        if (this.head > STORM_LIMIT) throw new Error(`more than ${STORM_LIMIT} frames in one run: a storm`);
        skb.dev!.poll(skb);
      }
    } finally {
      // shortening an array costs more than all the rest here; what a storm has left goes all the same
      if (this.tail > LONG_BACKLOG) this.backlog.length = 0;
      this.head = 0;
      this.tail = 0;
      this.running = false;
    }
  }

  /** Runs, then lets `us` microseconds pass, with every timer that falls due and what comes of it. */
  advance(us: number): void {
    const end = this.clock.nowUs + us;
    this.run();
    while (this.clock.step(end)) this.run();
    this.clock.nowUs = end;
  }

  /**
   * Runs until no packet is on its way any more: none waits in the backlog, none for an ARP answer. Time passes only
   * as far as that takes, and at most `limitUs`.
   */
  settle(limitUs = 10_000_000): void {
    const end = this.clock.nowUs + limitUs;
    this.run();
    while (this.waitsForNeighbour() && this.clock.step(end)) this.run();
  }

  private waitsForNeighbour(): boolean {
    for (const table of this.resolving) {
      if (table.waiting > 0) return true;
      this.resolving.delete(table);
    }
    return false;
  }
}
