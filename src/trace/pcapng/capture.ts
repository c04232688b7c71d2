import type { Network } from "../../linux/network.ts";
import type { DeviceEvent, NetworkEvent, Recorder } from "../../linux/recorder.ts";
import { encodeFrame, encodeIp } from "../../packet/codec/index.ts";
import { PcapngWriter } from "../../packet/pcapng.ts";
import { dropNote, natNote } from "./notes.ts";

/** Which frames are kept. Left out: all of every device. */
export interface CaptureOptions {
  readonly keep?: (event: DeviceEvent) => boolean;
}

interface Frame {
  readonly event: DeviceEvent;
  readonly notes: string[];
}

const NS_PER_US = 1000n;
const MAX_COMMENT_BYTES = 0xffff;

/**
 * Captures what crosses the devices of a network, as `tcpdump -i any` run in every namespace at once would, into one
 * pcapng file: an interface a device, named `NETNS/DEVICE`, in the order in which they are first used. Time is the
 * simulation's, 0 at its start. A packet that has been translated since it was last seen, or that ends here, says so in
 * its comment.
 *
 * Set it as `network.recorder`; who is set already is told too when passed on as `next`.
 */
export class Capture implements Recorder {
  private readonly network: Network;
  private readonly next: Recorder | null;
  private readonly keep: (event: DeviceEvent) => boolean;
  private readonly writer = new PcapngWriter();
  private readonly interfaces = new Map<string, number>();
  private frames: Frame[] = [];
  /** Notes for the frame of the packet that is seen next, by namespace and packet. */
  private readonly pending = new Map<string, string[]>();
  /** The frame of the packet that was seen last. */
  private readonly latest = new Map<string, Frame>();

  constructor(network: Network, { keep = () => true }: CaptureOptions = {}, next: Recorder | null = null) {
    this.network = network;
    this.keep = keep;
    this.next = next;
  }

  record(event: NetworkEvent): void {
    this.next?.record(event);
    const key = `${event.serial} ${event.netns}`;
    switch (event.type) {
      case "device": {
        const frame = { event, notes: this.pending.get(key) ?? [] };
        this.pending.delete(key);
        this.latest.set(key, frame);
        if (this.keep(event)) this.frames.push(frame);
        break;
      }
      case "nat": {
        const notes = this.pending.get(key) ?? [];
        this.pending.set(key, notes);
        notes.push(natNote(event));
        break;
      }
      case "drop":
        // whoever only overheard a frame did not lose it
        if (event.reason !== "OTHERHOST")
          this.latest.get(key)?.notes.push(...this.lost(key), dropNote(event));
        break;
      default:
        break;
    }
  }

  /**
   * The bytes of the file since this was last called. Call it when nothing is on its way: what is yet to become of a
   * packet cannot be said in its comment afterwards.
   */
  take(): Uint8Array {
    for (const { event, notes } of this.frames) {
      const bytes = event.link === "raw" ? encodeIp(event.packet) : encodeFrame(event.packet);
      this.writer.addPacket(this.interfaceOf(event), BigInt(event.timeUs) * NS_PER_US, bytes, {
        direction: event.direction === "rx" ? "in" : "out",
        ...(notes.length === 0 ? {} : { comment: notes.join("; ").slice(0, MAX_COMMENT_BYTES / 3) }),
      });
    }
    this.frames = [];
    this.latest.clear();
    this.pending.clear();
    return this.writer.take();
  }

  /** Notes that no frame will carry because the packet ends. */
  private lost(key: string): string[] {
    const notes = this.pending.get(key) ?? [];
    this.pending.delete(key);
    return notes;
  }

  private interfaceOf({ netns, device, link }: DeviceEvent): number {
    const name = `${netns}/${device}`;
    const known = this.interfaces.get(name);
    if (known !== undefined) return known;
    const dev = this.network.namespaces.get(netns)?.devices.get(device);
    const added = this.writer.addInterface({
      name,
      description: name,
      linkType: link,
      mtu: dev?.mtu ?? 0,
    });
    this.interfaces.set(name, added);
    return added;
  }
}

/** Runs something while everything that crosses a device is captured; returns the whole file. */
export function captureWhile(network: Network, what: () => void, options: CaptureOptions = {}): Uint8Array {
  const before = network.recorder;
  const capture = new Capture(network, options, before);
  network.recorder = capture;
  try {
    what();
  } finally {
    network.recorder = before;
  }
  return capture.take();
}
