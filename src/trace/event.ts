import type { NetworkEvent } from "../linux/recorder.ts";
import { formatIpv4 } from "../packet/address.ts";
import { Packet } from "../packet/packet.ts";
import { type PacketRecord, packetRecord, protocolName } from "./packet-record.ts";
import type { Roles } from "./role.ts";

type RecordOf<E> = {
  [K in keyof E as K extends "timeUs" ? never : K]: K extends
    | "protocol"
    | "address"
    | "destination"
    | "source"
    ? string
    : E[K] extends Packet
      ? PacketRecord
      : E[K];
} & {
  readonly time_us: number;
  /** `request`, `reply`, `reset`, `icmp-error`, `follow-up`, `arp` or `other`; with `-outer` the tunnel's packet around it. */
  readonly of: string;
};

/** An event of the network's event stream with every number that is an address as text. */
export type TraceEvent = NetworkEvent extends infer E
  ? E extends NetworkEvent
    ? RecordOf<E>
    : never
  : never;

/** See {@link TraceEvent}. Keys come in the order of the event's own, after time, namespace and role. */
export function traceEvent(event: NetworkEvent, roles: Roles): TraceEvent {
  const { timeUs, netns, type, serial } = event;
  const record: Record<string, unknown> = { time_us: timeUs, netns, type, of: roles.name(serial), serial };
  for (const key in event)
    if (key !== "timeUs" && !(key in record)) record[key] = fieldText(key, event[key as keyof NetworkEvent]);
  return record as TraceEvent;
}

function fieldText(key: string, value: unknown): unknown {
  if (value instanceof Packet) return packetRecord(value);
  if (typeof value !== "number") return value;
  if (key === "protocol") return protocolName(value);
  return key === "address" || key === "destination" || key === "source" ? formatIpv4(value) : value;
}
