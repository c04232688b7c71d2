import type { Packet } from "../packet/packet.ts";
import type { ConntrackRow, ReceiverSaw, SenderSaw } from "./agent.ts";

/** A frame on a device. Times are microseconds of the world's own clock. */
export interface Frame {
  readonly netns: string;
  readonly device: string;
  readonly direction: "tx" | "rx";
  readonly timeUs: number;
  readonly link: "ethernet" | "raw";
  /** Null for what could not be read: `unreadable` says why. */
  readonly packet: Packet | null;
  readonly unreadable: string | null;
}

/** What a rule has counted during a flow. */
export interface RuleCount {
  readonly netns: string;
  readonly table: string;
  readonly chain: string;
  /** From 1; 0 is the chain's policy. */
  readonly rule: number;
  readonly text: string;
  readonly packets: number;
  readonly bytes: number;
}

/** Everything that was seen of one flow in one of the two worlds. */
export interface FlowRecord {
  readonly frames: readonly Frame[];
  readonly sender: SenderSaw;
  readonly receivers: readonly ReceiverSaw[];
  /** By namespace. */
  readonly conntrack: Readonly<Record<string, readonly ConntrackRow[]>>;
  readonly counts: readonly RuleCount[];
}
