import { ARPOP_REQUEST, BROADCAST_MAC, ETH_P_ARP } from "../../packet/packet.ts";
import type { ConntrackRow, FlowRequest } from "../agent.ts";
import type { FlowRecord, Frame, RuleCount } from "../record.ts";
import { compareLines, compareValue, type Difference } from "./difference.ts";
import { frameLine } from "./frame-line.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { portMask } from "./port-mask.ts";

/** What a comparison must know of the cluster. */
export interface ComparisonScope {
  /** Ports that nobody drew at random. */
  readonly knownPorts: ReadonlySet<string>;
}

/** How two records of one flow compare. */
export interface Comparison {
  readonly kernel: Outcome;
  readonly podpath: Outcome;
  readonly differences: readonly Difference[];
}

/**
 * Holds what the simulation did with a flow against what the kernel did: outcome, sender, receivers, connections,
 * rules that counted, frames.
 */
export function compareFlow(
  request: FlowRequest,
  kernel: FlowRecord,
  podpath: FlowRecord,
  { knownPorts }: ComparisonScope,
): Comparison {
  const mask = portMask(knownPorts);
  const [k, p] = [outcomeOf(request, kernel), outcomeOf(request, podpath)];
  return {
    kernel: k,
    podpath: p,
    differences: [
      ...compareOutcome(k, p, mask),
      ...compareSender(kernel, podpath, mask),
      ...compareConntrack(kernel, podpath, mask),
      ...compareCounts(kernel, podpath),
      ...compareFrames(kernel, podpath, mask),
    ],
  };
}

type Mask = (text: string) => string;

function compareOutcome(kernel: Outcome, podpath: Outcome, mask: Mask): Difference[] {
  const parts = <K extends "delivered" | "reply" | "icmp" | "reset">(part: K, keys: readonly string[]) =>
    keys.flatMap((key) => {
      const value = (of: Outcome) => (of[part] as Readonly<Record<string, unknown>> | null)?.[key];
      return compareValue(`${part}.${key}`, value(kernel), value(podpath), mask);
    });
  return [
    ...compareValue("verdict", kernel.verdict, podpath.verdict, mask),
    ...parts("delivered", ["netns", "owner", "source", "destination", "ttl"]),
    ...parts("reply", ["source", "ttl"]),
    ...parts("icmp", ["type", "code", "from", "ttl", "mtu"]),
    ...parts("reset", ["source", "ttl"]),
  ];
}

function compareSender(
  { sender: k, receivers: kr }: FlowRecord,
  { sender: p, receivers: pr }: FlowRecord,
  mask: Mask,
) {
  const sorted = (list: readonly unknown[]) =>
    list.map((one) => mask(JSON.stringify(one, keysInOrder))).sort();
  return [
    ...compareValue("sender.errno", k.errno, p.errno, mask),
    ...compareValue("sender.connected", k.connected, p.connected, mask),
    ...compareLines("sender.replies", sorted(k.replies), sorted(p.replies)),
    ...compareLines("sender.errors", sorted(k.errors), sorted(p.errors)),
    ...compareLines("receivers", sorted(kr), sorted(pr)),
  ];
}

function keysInOrder(_: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function compareConntrack(kernel: FlowRecord, podpath: FlowRecord, mask: Mask): Difference[] {
  const lines = (rows: readonly ConntrackRow[] = []) =>
    rows
      .map(({ protocol, state, original, reply, flags, mark }) =>
        mask(
          [protocol, state ?? "-", original, reply, ...flags, ...(mark === 0 ? [] : [`mark=${mark}`])].join(
            " ",
          ),
        ),
      )
      .sort();
  const names = new Set([...Object.keys(kernel.conntrack), ...Object.keys(podpath.conntrack)]);
  return [...names].flatMap((name) =>
    compareLines(`conntrack ${name}`, lines(kernel.conntrack[name]), lines(podpath.conntrack[name])),
  );
}

/** Rules are known by table, chain and number; their words may differ (`iptables-save` has its own). */
function compareCounts(kernel: FlowRecord, podpath: FlowRecord): Difference[] {
  const texts = new Map(kernel.counts.map((count) => [keyOf(count), count.text]));
  const lines = (counts: readonly RuleCount[]) =>
    counts
      .map(
        (count) =>
          `${keyOf(count)} [${count.packets}:${count.bytes}] ${texts.get(keyOf(count)) ?? count.text}`,
      )
      .sort();
  return compareLines("rules", lines(kernel.counts), lines(podpath.counts));
}

const keyOf = ({ netns, table, chain, rule }: RuleCount): string =>
  `${netns} ${table} ${chain} ${rule === 0 ? "policy" : rule}`;

/**
 * Frames device by device and direction by direction, each in its order; and for every namespace the order in which
 * its devices saw the flow first. Between devices the order of two packets that are under way at the same time is the
 * scheduler's affair.
 */
function compareFrames(kernel: FlowRecord, podpath: FlowRecord, mask: Mask): Difference[] {
  const [k, p] = [byTap(kernel.frames, mask), byTap(podpath.frames, mask)];
  const taps = [...new Set([...k.keys(), ...p.keys()])].sort();
  return [
    ...taps.flatMap((tap) => compareLines(`frames ${tap}`, k.get(tap) ?? [], p.get(tap) ?? [])),
    ...compareDevices(kernel.frames, podpath.frames),
  ];
}

function compareDevices(kernel: readonly Frame[], podpath: readonly Frame[]): Difference[] {
  const [k, p] = [devicesInOrder(kernel), devicesInOrder(podpath)];
  return [...new Set([...k.keys(), ...p.keys()])].flatMap((netns) =>
    compareLines(`devices of ${netns}`, [...(k.get(netns) ?? [])], [...(p.get(netns) ?? [])]),
  );
}

/** By namespace: `DEVICE tx|rx` as the flow came to them first. */
function devicesInOrder(frames: readonly Frame[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { netns, device, direction } of frames) {
    const devices = found.get(netns) ?? new Set();
    found.set(netns, devices.add(`${device} ${direction}`));
  }
  return found;
}

/** A neighbour is asked again by a timer (NUD_PROBE): before or after which packet hangs on a millisecond. */
const isProbe = ({ packet }: Frame): boolean =>
  packet?.etherType === ETH_P_ARP && packet.arpOp === ARPOP_REQUEST && packet.dmac !== BROADCAST_MAC;

/** Each tap's frames in their order, probes of neighbours after all others. */
function byTap(frames: readonly Frame[], mask: Mask): Map<string, string[]> {
  const taps = new Map<string, string[]>();
  for (const frame of [...frames.filter((one) => !isProbe(one)), ...frames.filter(isProbe)]) {
    const tap = `${frame.netns} ${frame.device} ${frame.direction}`;
    const lines = taps.get(tap) ?? [];
    lines.push(mask(frameLine(frame)));
    taps.set(tap, lines);
  }
  return taps;
}
