import { type Chooser, SeededChooser } from "../../../../src/linux/chooser.ts";
import { Clock } from "../../../../src/linux/clock.ts";
import type { NetDevice } from "../../../../src/linux/device/device.ts";
import { Conntrack, type Tuple } from "../../../../src/linux/netfilter/conntrack/entry.ts";
import type { HookState, RouteType } from "../../../../src/linux/netfilter/context.ts";
import { HOOK_NAMES, type Hook, type HookName } from "../../../../src/linux/netfilter/hooks.ts";
import { parseAddress } from "../../../../src/linux/netfilter/rules/address-text.ts";
import type { RuleHost } from "../../../../src/linux/netfilter/rules/host.ts";
import { applyRestore } from "../../../../src/linux/netfilter/rules/restore.ts";
import type { RuleSet } from "../../../../src/linux/netfilter/rules/rule-set.ts";
import { RuleSetState } from "../../../../src/linux/netfilter/rules/state.ts";
import { type WalkTable, walkTable } from "../../../../src/linux/netfilter/rules/walk.ts";
import { NfBridgeInfo, Skb } from "../../../../src/linux/skb.ts";
import { IPPROTO_TCP, Packet } from "../../../../src/packet/packet.ts";

export const ip = (text: string): number => parseAddress(text, "test");

const devices = new Map<string, NetDevice>();

/** A device of which rules see only the name and whether it has Ethernet headers. */
function device(name: string): NetDevice {
  let dev = devices.get(name);
  if (dev === undefined) {
    const headerless = name.startsWith("tun");
    dev = { name, kind: name === "lo" ? "loopback" : headerless ? "tun" : "veth", headerless } as NetDevice;
    devices.set(name, dev);
  }
  return dev;
}

/** A host with 10.0.0.1 and loopback, whose broadcast address is 10.0.0.255. */
export class TestHost implements RuleHost {
  readonly clock = new Clock();
  readonly chooser: Chooser;
  readonly tracksConnections = true;
  readonly logged: string[] = [];
  mtu = 1500;
  reverseMtu = 1500;
  reverse = true;

  constructor(chooser: Chooser = new SeededChooser(1)) {
    this.chooser = chooser;
  }

  addressType(address: number, dev: NetDevice | null): RouteType {
    if (address === ip("10.0.0.1") && (dev === null || dev.name === "eth0")) return 2;
    if (address >>> 24 === 127) return 2;
    if (address === ip("10.0.0.255") || address === 0xffffffff) return 3;
    return address >>> 28 === 0xe ? 5 : 1;
  }
  routeMtu(): number {
    return this.mtu;
  }
  mtuTo(): number {
    return this.reverseMtu;
  }
  reversePath(): boolean {
    return this.reverse;
  }
  log(text: string): void {
    this.logged.push(text);
  }
}

/** Fields of a packet and of what is noted about it; addresses as text. */
export interface PacketFields {
  readonly src?: string;
  readonly dst?: string;
  readonly packet?: Partial<Packet>;
  readonly mark?: number;
  readonly in?: string;
  readonly out?: string;
  readonly physIn?: string;
  readonly physOut?: string;
  readonly inputIfindex?: number;
  readonly pktType?: Skb["pktType"];
  readonly origin?: Skb["origin"];
  readonly ctinfo?: number;
  readonly ct?: Partial<Conntrack>;
  readonly original?: Partial<Tuple>;
  readonly reply?: Partial<Tuple>;
}

/** A TCP packet 192.168.1.2:40000 → 10.0.0.2:80 unless the fields say otherwise. */
export function makeSkb(fields: PacketFields = {}): Skb {
  const packet = Object.assign(
    new Packet(),
    { protocol: IPPROTO_TCP, sport: 40000, dport: 80, tcpFlags: 2 },
    { src: ip(fields.src ?? "192.168.1.2"), dst: ip(fields.dst ?? "10.0.0.2") },
    fields.packet,
  );
  const skb = new Skb(packet);
  skb.mark = fields.mark ?? 0;
  skb.ctinfo = fields.ctinfo ?? 0;
  skb.inputIfindex = fields.inputIfindex ?? 0;
  skb.pktType = fields.pktType ?? 0;
  skb.origin = fields.origin ?? "socket";
  if (fields.physIn !== undefined || fields.physOut !== undefined) {
    skb.nfBridge = new NfBridgeInfo();
    skb.nfBridge.physindev = fields.physIn === undefined ? null : device(fields.physIn);
    skb.nfBridge.physoutdev = fields.physOut === undefined ? null : device(fields.physOut);
  }
  if (fields.ct !== undefined || fields.original !== undefined || fields.reply !== undefined) {
    const { src, dst, sport, dport, protocol } = packet;
    const original: Tuple = { src, dst, sport, dport, protocol, ...fields.original };
    const reply: Tuple = { src: dst, dst: src, sport: dport, dport: sport, protocol, ...fields.reply };
    skb.ct = Object.assign(new Conntrack(original, reply), fields.ct);
  }
  return skb;
}

export const hookState = (hook: HookName, fields: PacketFields): HookState => ({
  hook: HOOK_NAMES.indexOf(hook) as Hook,
  in: fields.in === undefined ? null : device(fields.in),
  out: fields.out === undefined ? null : device(fields.out),
});

/** One table of rules on one host, to send packets through. */
export class RuleBench {
  readonly host: TestHost;
  readonly state: RuleSetState;
  readonly table: string;
  readonly walk: WalkTable;

  constructor(
    table: string,
    lines: readonly string[] | RuleSet,
    host: TestHost = new TestHost(),
    walk: WalkTable = walkTable,
  ) {
    this.state = new RuleSetState("tables" in lines ? lines : rulesOf(table, lines));
    this.host = host;
    this.table = table;
    this.walk = walk;
  }

  /** The verdict's number; the rules that matched stand in `matched`. */
  send(hook: HookName, skb: Skb, fields: PacketFields = {}): { verdict: number; matched: string[] } {
    const matched: string[] = [];
    const table = this.state.table(this.table)!;
    const verdict = this.walk(
      this.state,
      table,
      hookState(hook, fields),
      skb,
      this.host,
      (chain, n, _rule, text) => {
        matched.push(`${chain.name} ${n === 0 ? "policy" : n} ${text}`);
      },
    );
    return { verdict, matched };
  }
}

/** The rules of one table, as iptables-restore takes them. */
export const rulesOf = (table: string, lines: readonly string[]): RuleSet =>
  applyRestore(null, [`*${table}`, ...lines, "COMMIT", ""].join("\n"), { noflush: false });

/** Does a single rule match the packet? The rule stands in FORWARD of the table filter unless another is named. */
export function matches(rule: string, fields: PacketFields, host?: TestHost): boolean {
  const bench = new RuleBench("filter", [`-A FORWARD ${rule}`], host);
  return bench.send("FORWARD", makeSkb(fields), fields).matched.length === 2;
}
