import type { Packet } from "../packet/packet.ts";
import type { DropReason } from "./drop-reason.ts";
import type { HookName } from "./netfilter/hooks.ts";
import type { OriginKind } from "./skb.ts";
import type { Errno } from "./socket/error.ts";

/**
 * What a namespace reports about a packet on its way. The path asks `network.recorder !== null` before it makes an
 * event, so that watching costs nothing when nobody watches. Times are virtual microseconds.
 */
export interface Recorder {
  record(event: NetworkEvent): void;
}

interface EventBase {
  readonly timeUs: number;
  readonly netns: string;
  /** Number of the packet: copies, hops and translations keep it; what it causes has its own. */
  readonly serial: number;
}

/** A packet is born: in a socket, as an answer of the kernel, or around another packet. */
export interface OriginEvent extends EventBase {
  readonly type: "origin";
  readonly kind: OriginKind;
  readonly cause: number;
  readonly packet: Packet;
}

/** A frame crosses a device, as tcpdump on that device would see it. */
export interface DeviceEvent extends EventBase {
  readonly type: "device";
  readonly device: string;
  readonly direction: "tx" | "rx";
  readonly packet: Packet;
  /** What is on this device: Ethernet frames, or bare IP packets (TUN). */
  readonly link: "ethernet" | "raw";
}

/** A rule matched, or a chain's policy decided. */
export interface RuleEvent extends EventBase {
  readonly type: "rule";
  readonly hook: HookName;
  readonly table: string;
  readonly chain: string;
  /** Number of the rule in its chain, from 1, as `iptables -L --line-numbers` counts; 0 is the policy. */
  readonly rule: number;
  /** Name of the target (`KUBE-SERVICES`, `DNAT`, `ACCEPT`, …); empty for a rule without target. */
  readonly target: string;
  /** What the rule did to the walk: `jump X`, `goto X`, `return`, `accept`, `drop`, `continue`. */
  readonly verdict: string;
  /** The rule as iptables-save prints it, without `-A CHAIN`; null for a policy. */
  readonly text: string | null;
  readonly in: string | null;
  readonly out: string | null;
}

/** One table has been walked at one hook. */
export interface TableEvent extends EventBase {
  readonly type: "table";
  readonly hook: HookName;
  readonly table: string;
  /** Rules that the kernel would have looked at, one after the other. */
  readonly rulesWalked: number;
}

/** An address translation changed the packet. */
export interface NatEvent extends EventBase {
  readonly type: "nat";
  readonly hook: HookName;
  readonly manip: "source" | "destination";
  readonly before: Packet;
  readonly after: Packet;
}

export interface ConntrackEvent extends EventBase {
  readonly type: "conntrack";
  readonly action:
    | "new"
    | "confirm"
    | "reply"
    | "assured"
    | "related"
    | "invalid"
    | "insert-failed"
    | "table-full"
    | "untracked"
    | "destroy";
  readonly protocol: number;
  readonly original: string;
  readonly reply: string;
  readonly state: string | null;
}

export interface RouteEvent extends EventBase {
  readonly type: "route";
  readonly direction: "input" | "output";
  readonly destination: number;
  readonly source: number;
  /** The route as `ip route get` words it: `192.168.96.0/24 dev docker0`, `local 10.1.96.233`, `unreachable`… */
  readonly result: string;
}

export interface NeighbourEvent extends EventBase {
  readonly type: "neighbour";
  readonly device: string;
  readonly address: number;
  readonly state: "INCOMPLETE" | "REACHABLE" | "STALE" | "DELAY" | "PROBE" | "FAILED" | "PERMANENT" | "NOARP";
}

export interface BridgeEvent extends EventBase {
  readonly type: "bridge";
  readonly bridge: string;
  readonly action: "learn" | "forward" | "flood" | "local" | "blocked" | "bridged-dnat";
  readonly port: string;
  /** Ports or the reason, in words. */
  readonly detail: string;
}

/** A packet goes into another one, or comes out of one. `outer` is the carrying packet's number. */
export interface TunnelEvent extends EventBase {
  readonly type: "tunnel";
  readonly action: "encapsulate" | "decapsulate";
  readonly device: string;
  readonly outer: number;
  readonly packet: Packet;
}

export interface FragmentEvent extends EventBase {
  readonly type: "fragment";
  readonly action: "split" | "queued" | "reassembled";
  readonly packet: Packet;
}

/** LOG, and what else a rule writes to the kernel's log. */
export interface LogEvent extends EventBase {
  readonly type: "log";
  readonly text: string;
}

/** A socket (or the kernel's echo responder) took the packet. */
export interface DeliverEvent extends EventBase {
  readonly type: "deliver";
  readonly packet: Packet;
  /** What the listener said of itself when it began to listen (a container's name); null for the kernel. */
  readonly owner: string | null;
}

/** The packet ended here. */
export interface DropEvent extends EventBase {
  readonly type: "drop";
  readonly reason: DropReason;
  /** The kernel function that let go of it. */
  readonly location: string;
  readonly device: string | null;
  readonly hook: HookName | null;
  readonly table: string | null;
  readonly chain: string | null;
  readonly rule: number | null;
  readonly detail: string | null;
  readonly packet: Packet;
}

/** An error that a local send or an ICMP message gave to a socket (`errno` by name). */
export interface SocketErrorEvent extends EventBase {
  readonly type: "socket-error";
  readonly errno: Errno;
  readonly mtu: number | null;
}

export type NetworkEvent =
  | OriginEvent
  | DeviceEvent
  | RuleEvent
  | TableEvent
  | NatEvent
  | ConntrackEvent
  | RouteEvent
  | NeighbourEvent
  | BridgeEvent
  | TunnelEvent
  | FragmentEvent
  | LogEvent
  | DeliverEvent
  | DropEvent
  | SocketErrorEvent;
