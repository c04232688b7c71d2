import { type ChoiceKind, type Chooser, SeededChooser } from "../linux/chooser.ts";
import { ETH_P_ARP } from "../packet/packet.ts";
import type { ConntrackRow } from "./agent.ts";
import type { FlowRecord } from "./record.ts";

/** The random answers that a flow took in the kernel, in the order in which it met the questions. */
export interface Guidance {
  /** Of `statistic` matches. */
  readonly chances: readonly boolean[];
  /** Source ports that NAT drew. */
  readonly ports: readonly number[];
}

/**
 * Takes the branches that the kernel took, as far as counters and connections tell them; whatever else is random comes
 * from a seed.
 */
export class GuidedChooser implements Chooser {
  private readonly seeded: SeededChooser;
  private chances: boolean[] = [];
  private ports: number[] = [];

  constructor(seed: number) {
    this.seeded = new SeededChooser(seed);
  }

  /** From here on, these answers come first. */
  guide({ chances, ports }: Guidance): void {
    this.chances = [...chances];
    this.ports = [...ports];
  }

  chance(threshold: number): boolean {
    return this.chances.shift() ?? this.seeded.chance(threshold);
  }

  pick(n: number, what: ChoiceKind): number {
    const port = what === "port" ? this.ports.shift() : undefined;
    return port === undefined ? this.seeded.pick(n) : (port - FIRST_PORT + n) % n;
  }
}

/** Where nf_nat_l4proto_unique_tuple begins to count for a port that is not privileged. */
const FIRST_PORT = 1024;

/** What of a rule set decides guidance: its `statistic` rules, by chain. */
export type ChainRules = (netns: string, table: string, chain: string) => readonly string[];

/**
 * Reads the random answers off what the kernel counted and remembers.
 *
 * @param before the connections that it remembered before the flow: their ports were drawn then.
 */
export function guidanceOf(
  record: FlowRecord,
  rules: ChainRules,
  before: FlowRecord["conntrack"] = {},
): Guidance {
  const order = netnsInOrder(record);
  return {
    chances: order.flatMap((netns) => chancesIn(netns, record, rules)),
    ports: order.flatMap((netns) => {
      const old = new Set((before[netns] ?? []).map(tuplesOf));
      return drawnPorts((record.conntrack[netns] ?? []).filter((row) => !old.has(tuplesOf(row))));
    }),
  };
}

const tuplesOf = ({ protocol, original, reply }: ConntrackRow): string => `${protocol} ${original} ${reply}`;

/** The namespaces in the order in which the flow came to them; who is asked for a neighbour hears of it earlier. */
function netnsInOrder({ frames, conntrack }: FlowRecord): string[] {
  const crossed = frames.filter(({ packet }) => packet?.etherType !== ETH_P_ARP);
  return [...new Set([...crossed, ...frames].map(({ netns }) => netns).concat(Object.keys(conntrack)))];
}

/** No at every `statistic` rule before the one that counted, yes there; no at all when a rule without chance did. */
function chancesIn(netns: string, { counts }: FlowRecord, rules: ChainRules): boolean[] {
  const answers: boolean[] = [];
  const seen = new Set<string>();
  for (const { table, chain, rule, netns: where } of [...counts].reverse()) {
    if (where !== netns || rule === 0 || seen.has(`${table} ${chain}`)) continue;
    const lines = rules(netns, table, chain);
    if (!lines.some(isRandom)) continue;
    // the last rule that counted is where the packet left the chain
    seen.add(`${table} ${chain}`);
    const left = lines[rule - 1] ?? "";
    // an affinity's rule stands before the random ones
    if (left.includes("-m recent --name") && left.includes("--rcheck")) continue;
    for (let i = 0; i < rule - 1; i++) if (isRandom(lines[i]!)) answers.push(false);
    if (isRandom(left)) answers.push(true);
  }
  return answers;
}

const isRandom = (rule: string): boolean => rule.includes("--mode random");

/** Ports of replies that are not the ones that were asked from. */
function drawnPorts(rows: readonly ConntrackRow[]): number[] {
  return rows.flatMap(({ original, reply }) => {
    const asked = /:(\d+)>/.exec(original)?.[1];
    const drawn = /:(\d+)$/.exec(reply)?.[1];
    return asked === undefined || drawn === undefined || asked === drawn ? [] : [Number(drawn)];
  });
}
