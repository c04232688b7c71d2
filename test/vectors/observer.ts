import type {
  DeliverEvent,
  DeviceEvent,
  NetworkEvent,
  OriginEvent,
  Recorder,
} from "../../src/linux/recorder.ts";
import { formatIpv4 } from "../../src/packet/address.ts";
import { IPPROTO_ICMP, IPPROTO_TCP, type Packet, TCP_RST } from "../../src/packet/packet.ts";
import { summarize } from "../../src/packet/summary.ts";
import type { Result, RuleRow } from "./plan.ts";

/** What a packet is to the flow that is being watched. */
type Role =
  | "req"
  | "req-outer"
  | "rep"
  | "rep-outer"
  | "icmperr"
  | "icmperr-outer"
  | "rst"
  | "rst-outer"
  | "later"
  | null;

const ends = (p: Packet): { source: string; destination: string } =>
  p.protocol === IPPROTO_ICMP
    ? { source: formatIpv4(p.src), destination: formatIpv4(p.dst) }
    : { source: `${formatIpv4(p.src)}:${p.sport}`, destination: `${formatIpv4(p.dst)}:${p.dport}` };

/** Listens to one flow and tells of it in the kernel record's words. */
export class Observer implements Recorder {
  readonly events: NetworkEvent[] = [];
  private readonly roles = new Map<number, Role>();
  private request = 0;
  private sender = "";
  /** The first packet that each packet went into. */
  private readonly carriers = new Map<string, number>();
  /** Which packet a carrier carries, and from where. */
  private readonly carriedFrom = new Map<number, string>();
  private readonly causes = new Map<number, number>();
  private replySerial = 0;

  record(event: NetworkEvent): void {
    this.events.push(event);
    if (event.type === "origin") this.assign(event);
  }

  /** Roles follow from who caused whom; the first packet of a kind is the one that is shown. */
  private assign(event: OriginEvent): void {
    const { serial, cause, kind } = event;
    if (kind === "arp") return;
    this.causes.set(serial, cause);
    if (this.request === 0) {
      this.request = serial;
      this.sender = event.netns;
      this.roles.set(serial, "req");
      return;
    }
    // sent again because nothing came back
    if (cause === 0 && kind === "socket" && event.netns === this.sender) {
      this.roles.set(serial, "req");
      return;
    }
    const causedBy = this.roles.get(cause) ?? null;
    if (kind === "tunnel" || (kind === "daemon" && event.packet.protocol !== IPPROTO_ICMP)) {
      const carried = `${cause} ${event.netns}`;
      if (!this.carriers.has(carried)) this.carriers.set(carried, serial);
      this.carriedFrom.set(serial, carried);
      this.roles.set(serial, causedBy === null ? null : (`${causedBy.replace("-outer", "")}-outer` as Role));
    } else if (kind === "icmp-error" || kind === "daemon") {
      if (causedBy !== null) this.roles.set(serial, "icmperr");
    } else if (kind === "reset") {
      if (causedBy === "req") this.roles.set(serial, "rst");
    } else if (causedBy === "rep" || causedBy === "later") {
      this.roles.set(serial, "later");
    } else if (cause === this.request && this.replySerial === 0) {
      this.replySerial = serial;
      this.roles.set(serial, "rep");
    }
  }

  private role(serial: number): Role {
    return this.roles.get(serial) ?? null;
  }

  /** The fields of a result, but for the verdict's sender side and conntrack. */
  observe(
    sender: string,
  ): Pick<Result, "delivered" | "reply" | "icmp" | "rst"> & { dropReason: string | null; rejected: boolean } {
    const delivered = this.delivered();
    const drops = this.events.filter((e) => e.type === "drop" && this.role(e.serial) === "req");
    // what a process discards has no kernel reason; the kernel's may be about the process's complaint
    const last =
      drops.filter((e) => !inUserSpace(e)).at(-1) ??
      this.events.filter((e) => e.type === "drop" && this.role(e.serial) === "icmperr").at(-1);
    return {
      ...(delivered === undefined ? {} : { delivered }),
      ...optional("reply", delivered === undefined ? undefined : this.reply(sender)),
      ...optional("icmp", this.icmpError(sender)),
      ...optional("rst", this.reset(sender)),
      dropReason: last?.type === "drop" ? last.reason : null,
      rejected: drops.some((e) => e.type === "drop" && e.detail === "REJECT"),
    };
  }

  private delivered(): Result["delivered"] {
    const event = this.events.find(
      (e): e is DeliverEvent => e.type === "deliver" && this.role(e.serial) === "req",
    );
    if (event === undefined) return undefined;
    return { netns: event.netns, container: event.owner, ...ends(event.packet), ttl: event.packet.ttl };
  }

  private reply(sender: string): Result["reply"] {
    if (this.replySerial === 0) return undefined;
    const arrived = this.events.find(
      (e): e is DeliverEvent => e.type === "deliver" && e.serial === this.replySerial && e.netns === sender,
    );
    if (arrived !== undefined) return { received: true, ...ends(arrived.packet), ttl: arrived.packet.ttl };
    const born = this.events.find(
      (e): e is OriginEvent => e.type === "origin" && e.serial === this.replySerial,
    )!;
    return { received: false, ...ends(born.packet), ttl: born.packet.ttl };
  }

  /** An ICMP error about the request as it arrives where the request came from. */
  private icmpError(sender: string): Result["icmp"] {
    const event = this.events.find(
      (e): e is DeliverEvent =>
        e.type === "deliver" && e.netns === sender && this.role(e.serial) === "icmperr",
    );
    if (event === undefined) return undefined;
    const p = event.packet;
    return {
      type: p.icmpType,
      code: p.icmpCode,
      from: formatIpv4(p.src),
      to: formatIpv4(p.dst),
      ttl: p.ttl,
      mtu: p.icmpType === 3 && p.icmpCode === 4 ? p.icmpInfo : null,
      about: p.inner === null ? "" : summarize(p.inner),
    };
  }

  private reset(sender: string): Result["rst"] {
    const arrived = this.events.find(
      (e): e is DeviceEvent =>
        e.type === "device" &&
        e.direction === "rx" &&
        e.netns === sender &&
        this.role(e.serial) === "rst" &&
        isReset(e.packet),
    );
    if (arrived === undefined) return undefined;
    const born = this.events.find(
      (e): e is OriginEvent => e.type === "origin" && e.serial === arrived.serial,
    )!;
    return { from: ends(arrived.packet).source, ttl: arrived.packet.ttl, origin: born.netns };
  }

  /** The devices that the packets of one role crossed, tunnel included. */
  path(role: "req" | "rep" | "icmperr" | "rst"): string[] {
    return this.events
      .filter(
        (e): e is DeviceEvent =>
          e.type === "device" && baseRole(this.role(e.serial)) === role && !this.repeated(e.serial),
      )
      .map((e) => `${e.netns} ${e.device} ${e.direction} ${summarize(e.packet)}`);
  }

  /** The request sent a second time; its way is shown once. */
  private repeated(serial: number): boolean {
    const role = this.role(serial);
    if (role === "req") return serial !== this.request;
    if (role === "req-outer" && this.causes.get(serial) !== this.request) return true;
    // a second fragment's carrier
    return (
      role !== null &&
      /^re[qp]-outer$/.test(role) &&
      this.carriers.get(this.carriedFrom.get(serial)!) !== serial
    );
  }

  rules(): RuleRow[] {
    const rows: RuleRow[] = [];
    for (const e of this.events) {
      if (e.type !== "rule") continue;
      const of = this.role(e.serial);
      if (of === null || /^later|^(rst|icmperr)-outer/.test(of)) continue;
      if (of.endsWith("-outer") && this.repeated(e.serial)) continue;
      rows.push({
        netns: e.netns,
        of,
        hook: e.hook,
        table: e.table,
        chain: e.chain,
        rule: e.rule === 0 ? "policy" : e.rule,
        verdict: e.target === "REJECT" ? "drop" : e.verdict,
        iif: e.in,
        oif: e.out,
      });
    }
    return rows;
  }
}

const inUserSpace = (e: NetworkEvent): boolean =>
  e.type === "drop" && /^(tun_to_udp|udp_to_tun|sock_send_packet)$/.test(e.location);
const baseRole = (role: Role): string | null => role?.replace("-outer", "") ?? null;
const isReset = (p: Packet): boolean => p.protocol === IPPROTO_TCP && (p.tcpFlags & TCP_RST) !== 0;
const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
