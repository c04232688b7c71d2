import { Nic } from "../../linux/device/segment.ts";
import { Veth } from "../../linux/device/veth.ts";
import type { Netns } from "../../linux/netns.ts";
import type { TraceEvent } from "../event.ts";
import { deviceId, processId, segmentId } from "./box-id.ts";
import { FLANNELD } from "./topology.ts";

type DeviceRecord = Extract<TraceEvent, { type: "device" }>;

/** Says in which box an event happens, and by which boxes the packet got there. Keeps the processes that turn up. */
export class PlaceMap {
  readonly processes = new Map<string, Set<string>>();
  private readonly owners = new Map<string, string>();
  private readonly namespaces: ReadonlyMap<string, Netns>;

  constructor(namespaces: ReadonlyMap<string, Netns>, events: readonly TraceEvent[]) {
    this.namespaces = namespaces;
    for (const e of events)
      if (e.type === "deliver" && e.owner !== null && e.owner !== FLANNELD) this.owners.set(e.netns, e.owner);
  }

  /** The box of an event; null: wherever the packet is already. */
  of(e: TraceEvent): string | null {
    switch (e.type) {
      case "device":
        return deviceId(e.netns, e.device);
      case "bridge":
        return e.action === "learn" ? null : deviceId(e.netns, e.bridge);
      case "origin":
        if (e.kind === "daemon") return processId(e.netns, FLANNELD);
        if (e.kind === "tunnel") return null;
        return this.process(e.netns, e.kind === "socket" ? (this.owners.get(e.netns) ?? "socket") : "kernel");
      case "deliver": {
        if (e.owner === FLANNELD) return processId(e.netns, FLANNELD);
        if (e.of.endsWith("-outer")) return null;
        const nobody = e.packet.protocol === "icmp" && e.of === "request" ? "kernel" : "socket";
        return this.process(e.netns, e.owner ?? this.owners.get(e.netns) ?? nobody);
      }
      default:
        return null;
    }
  }

  /** From which box a packet comes straight to a device; null: from wherever in the namespace it was. */
  before({ netns, device, direction }: DeviceRecord): string | null {
    const dev = this.namespaces.get(netns)?.devices.get(device);
    if (dev === undefined) return null;
    if (direction === "tx") return dev.port === null ? null : deviceId(netns, dev.port.bridge.name);
    if (dev instanceof Veth && dev.peer !== null) return deviceId(dev.peer.netns.name, dev.peer.name);
    return dev instanceof Nic ? segmentId(dev.segment.name) : null;
  }

  /** The segment that a device sends into; null when it is no NIC. */
  segmentOf({ netns, device }: DeviceRecord): string | null {
    const dev = this.namespaces.get(netns)?.devices.get(device);
    return dev instanceof Nic ? segmentId(dev.segment.name) : null;
  }

  /** The namespace at the other end of a veth; null for other devices. */
  peerOf({ netns, device }: DeviceRecord): string | null {
    const dev = this.namespaces.get(netns)?.devices.get(device);
    return dev instanceof Veth ? (dev.peer?.netns.name ?? null) : null;
  }

  private process(netns: string, name: string): string {
    const names = this.processes.get(netns) ?? new Set();
    this.processes.set(netns, names.add(name));
    return processId(netns, name);
  }
}
