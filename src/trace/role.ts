import type { NetworkEvent, OriginEvent } from "../linux/recorder.ts";
import { IPPROTO_UDP } from "../packet/packet.ts";

/** What a packet is to the trace. `follow-up` is the rest of a TCP conversation, `other` what was on its way before. */
export type Role = "request" | "reply" | "reset" | "icmp-error" | "follow-up" | "arp" | "other";

/** A packet's role, and whether it is the tunnel's packet around the one that has the role. */
export interface PacketRole {
  readonly role: Role;
  readonly outer: boolean;
  /** Number of the packet that caused it; 0 when none. */
  readonly cause: number;
}

const OTHER: PacketRole = { role: "other", outer: false, cause: 0 };

/** The roles of all packets of a run, by their numbers. */
export class Roles {
  /** Number of the request; 0 when it was never made into a packet. */
  readonly request: number;
  private readonly bySerial = new Map<number, PacketRole>();

  /** @param sender the namespace of the socket that sent the request: its first packet of no cause is the request. */
  constructor(events: readonly NetworkEvent[], sender: string) {
    const isRequest = (e: NetworkEvent): e is OriginEvent =>
      e.type === "origin" && e.kind === "socket" && e.cause === 0 && e.netns === sender;
    this.request = events.find(isRequest)?.serial ?? 0;
    for (const event of events)
      if (event.type === "origin") this.bySerial.set(event.serial, this.roleOf(event));
  }

  of(serial: number): PacketRole {
    return this.bySerial.get(serial) ?? OTHER;
  }

  /** Is it the request or a tunnel's packet around it? */
  isRequest(serial: number): boolean {
    return this.of(serial).role === "request";
  }

  /** The numbers of all packets of a role, in the order of their making. */
  serials(role: Role, outer: boolean): number[] {
    return [...this.bySerial]
      .filter(([, r]) => r.role === role && r.outer === outer)
      .map(([serial]) => serial);
  }

  /** `request`, `request-outer`, `reply`, … */
  name(serial: number): string {
    const { role, outer } = this.of(serial);
    return outer ? `${role}-outer` : role;
  }

  private roleOf({ serial, kind, cause, packet }: OriginEvent): PacketRole {
    switch (kind) {
      case "arp":
        return { role: "arp", outer: false, cause };
      case "tunnel":
        return { role: this.of(cause).role, outer: true, cause };
      case "daemon":
        // flanneld's own words are ICMP; what it carries goes in UDP
        return packet.protocol === IPPROTO_UDP
          ? { role: this.of(cause).role, outer: true, cause }
          : { role: "icmp-error", outer: false, cause };
      case "icmp-error":
        return { role: "icmp-error", outer: false, cause };
      case "reset":
        return { role: "reset", outer: false, cause };
      case "socket":
      case "icmp-echo-reply":
        if (serial === this.request) return { role: "request", outer: false, cause };
        if (cause === 0) return OTHER;
        return { role: cause === this.request ? "reply" : "follow-up", outer: false, cause };
    }
  }
}
