import type { NetworkEvent } from "../../src/linux/recorder.ts";
import { formatIpv4 } from "../../src/packet/address.ts";
import type { Packet } from "../../src/packet/packet.ts";
import { summarize } from "../../src/packet/summary.ts";
import type { Lab } from "./lab.ts";

type Of<T extends NetworkEvent["type"]> = Extract<NetworkEvent, { type: T }>;

/** The events of one kind, in one namespace if it is named. */
export function eventsOf<T extends NetworkEvent["type"]>(lab: Lab, type: T, netns?: string): Of<T>[] {
  return lab.events.filter(
    (event): event is Of<T> => event.type === type && (netns === undefined || event.netns === netns),
  );
}

/** What sockets, or the kernel for them, have taken in a namespace. */
export const delivered = (lab: Lab, netns: string): Packet[] =>
  eventsOf(lab, "deliver", netns).map(({ packet }) => packet);

/** `REASON@function` of every packet that ended there. */
export const dropped = (lab: Lab, netns: string): string[] =>
  eventsOf(lab, "drop", netns).map(({ reason, location }) => `${reason}@${location}`);

/** `type/code from` of the ICMP errors that arrived there. */
export const errors = (lab: Lab, netns: string): string[] =>
  delivered(lab, netns)
    .filter(({ protocol, inner }) => protocol === 1 && inner !== null)
    .map(({ icmpType, icmpCode, src }) => `${icmpType}/${icmpCode} ${formatIpv4(src)}`);

/** Packets that crossed a device, one line each: `tx` or `rx`. */
export const crossed = (lab: Lab, at: string, direction: "tx" | "rx"): string[] => {
  const [netns, device] = at.split(":");
  return eventsOf(lab, "device", netns)
    .filter((event) => event.device === device && event.direction === direction)
    .map(({ packet }) => summarize(packet));
};
