import type { DeviceKind } from "../../linux/device/device.ts";
import type { TraceableCluster } from "../cluster.ts";
import type { PacketRecord } from "../packet-record.ts";
import type { Line } from "../text/line.ts";
import type { Trace } from "../trace.ts";
import { pathLinks, topologyOf } from "./topology.ts";
import { waysOf } from "./ways.ts";

/**
 * What can be drawn of a cluster and of a packet's way through it. No coordinates yet: see `layout.ts`.
 *
 * ```
 * segment lan ──wire── NODE [ ens33 ┄routed┄ docker0 ──port── veth… ] ──veth── POD [ eth0 ┄local┄ process ]
 *                           [ ens33 ┄carried┄ flanneld ┄local┄ flannel0 ┄routed┄ docker0 ]
 * ```
 */
export interface Diagram {
  readonly title: string;
  readonly boxes: readonly Box[];
  readonly links: readonly Link[];
  readonly ways: readonly Way[];
}

export type BoxKind = "segment" | "node" | "host" | "pod" | "device" | "process";

/** A thing with an outline. Boxes nest: a device and a process stand in a namespace, a pod's namespace in its node's box. */
export interface Box {
  /** `segment:NAME`, `netns:NETNS`, `device:NETNS:DEVICE`, `process:NETNS:NAME`. */
  readonly id: string;
  readonly kind: BoxKind;
  readonly parent: string | null;
  /** Its name, as plain text that may hold anything. */
  readonly label: string;
  /** Addresses, MTU and the like: one short line each. */
  readonly details: readonly string[];
  /** The namespace it is or stands in; null for a segment. */
  readonly netns: string | null;
  /** What kind of device; null for everything else. */
  readonly device: DeviceKind | null;
}

/**
 * What joins two boxes. `wire`: NIC and segment; `veth`: the two ends of a pair; `port`: a device enslaved to a bridge;
 * `routed`: a namespace forwards between the two; `carried`: a tunnel's packets leave by the NIC; `local`: a process and
 * a device it reads and writes.
 */
export interface Link {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly kind: "wire" | "veth" | "port" | "routed" | "carried" | "local";
}

export type WayRole = "request" | "icmp-error" | "reset" | "reply";

/** The way of one packet: the request first, then what came of it. */
export interface Way {
  readonly role: WayRole;
  readonly title: string;
  readonly packet: PacketRecord;
  readonly hops: readonly Hop[];
  readonly legs: readonly Leg[];
}

/** How a hop ended for the packet. */
export type HopEnd = "sent" | "delivered" | "dropped";

/** A stay of the packet in one namespace. Numbers count from 1 through all ways of a diagram. */
export interface Hop {
  readonly number: number;
  readonly netns: string;
  /** The namespace's box. */
  readonly box: string;
  readonly label: string;
  readonly end: HopEnd;
  readonly moments: readonly Moment[];
  /** Devices crossed, the tunnel's packet's too, in order. */
  readonly devices: readonly { readonly device: string; readonly direction: "tx" | "rx" }[];
}

/** One thing that happened to the packet, in the order of happening. */
export interface Moment {
  /** The box where the packet is meanwhile. */
  readonly at: string;
  /** In words, as the text trace has it; a walk through rules has the rules as children. */
  readonly line: Line;
  /** It is about the tunnel's packet around the one that travels. */
  readonly outer: boolean;
  /** Index in `trace.events` of the event, for a walk of the last of its events. */
  readonly event: number;
  /** What an address translation did; null for all else. */
  readonly change: {
    readonly what: "source" | "destination";
    readonly before: PacketRecord;
    readonly after: PacketRecord;
  } | null;
  /** The packet as it is now where the event tells; otherwise null. */
  readonly packet: PacketRecord | null;
}

/** A stretch of a way between two boxes. */
export interface Leg {
  readonly from: string;
  readonly to: string;
  /** Number of the hop that begins or goes on with it. */
  readonly hop: number;
  /** Inside a tunnel's packet. */
  readonly outer: boolean;
}

export interface DiagramOptions {
  /** `path`: only namespaces on the packet's ways, and devices that matter there. `all`: the whole cluster. */
  readonly scope?: "path" | "all";
}

/** The drawable model of a trace through a cluster; `trace` null draws the cluster alone (then all of it). */
export function diagramOf(
  cluster: TraceableCluster,
  trace: Trace | null,
  { scope = "path" }: DiagramOptions = {},
): Diagram {
  if (trace === null)
    return {
      title: cluster.model.name,
      ...topologyOf(cluster, { used: null, processes: new Map() }),
      ways: [],
    };
  const { ways, used, processes } = waysOf(cluster, trace);
  const topology = topologyOf(cluster, { used: scope === "all" ? null : used, processes });
  const { protocol, from, to } = trace.request;
  const links = [...topology.links, ...pathLinks(topology, ways)];
  return { title: `${protocol} ${from} → ${to}`, boxes: topology.boxes, links, ways };
}
