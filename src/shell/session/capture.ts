import type { Network } from "../../linux/network.ts";
import type { DeliverEvent, DeviceEvent, NetworkEvent } from "../../linux/recorder.ts";

/** Packets kept a device; the oldest go first. */
const KEPT = 2000;

/** Everything that has crossed the network's devices since the session began: what tcpdump and curl look at. */
export class Capture {
  private readonly frames = new Map<string, DeviceEvent[]>();
  private delivered: DeliverEvent[] = [];

  constructor(network: Network) {
    network.recorder = { record: (event) => this.record(event) };
  }

  /** What crossed a device of a namespace, oldest first. */
  on(netns: string, device: string): readonly DeviceEvent[] {
    return this.frames.get(`${netns} ${device}`) ?? [];
  }

  /** From here on tcpdump on that device sees only what is new. */
  restart(netns: string, device: string): void {
    this.frames.delete(`${netns} ${device}`);
  }

  /** Packets that sockets took while `act` ran. */
  deliveriesDuring(act: () => void): readonly DeliverEvent[] {
    this.delivered = [];
    act();
    const { delivered } = this;
    this.delivered = [];
    return delivered;
  }

  private record(event: NetworkEvent): void {
    if (event.type === "deliver") {
      this.delivered.push(event);
      if (this.delivered.length > KEPT) this.delivered.splice(0, this.delivered.length - KEPT);
    } else if (event.type === "device") {
      const key = `${event.netns} ${event.device}`;
      const list = this.frames.get(key) ?? [];
      this.frames.set(key, list);
      list.push(event);
      if (list.length > KEPT) list.splice(0, list.length - KEPT);
    }
  }
}
