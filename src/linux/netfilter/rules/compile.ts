import type { Packet } from "../../../packet/packet.ts";
import { type ChainEdits, editsOf } from "./edited-chain.ts";
import type { TcpMatch } from "./match/tcp.ts";
import type { PortsMatch } from "./match/udp.ts";
import type { PortRange } from "./number-text.ts";
import type { Chain, Rule } from "./rule-set.ts";

/**
 * Where in a long chain the rules stand that a packet can match, by what they ask for exactly:
 *
 *   destination and port ─┐
 *   destination ──────────┤
 *   port ─────────────────┼─▶ candidates, in the chain's order
 *   source ───────────────┤
 *   nothing of these ─────┘
 *
 * Each rule stands in one list. Only conditions that change nothing and stand before those that do are relied on,
 * so that leaving a rule out cannot be told from having looked at it.
 */
export interface ChainIndex {
  readonly byDestination: ReadonlyMap<number, DestinationIndex>;
  readonly byPort: ReadonlyMap<number, readonly number[]>;
  readonly bySource: ReadonlyMap<number, readonly number[]>;
  readonly rest: readonly number[];
  /** Null, or the lists tell places in the chain that this one was edited from. */
  readonly edits: ChainEdits | null;
}

interface DestinationIndex {
  any: number[];
  /** Null where so few rules name the destination that looking at all of them is as fast. */
  byPort: Map<number, number[]> | null;
}

/** Up to so many rules of one destination are kept in one list. */
const FEW = 4;

/** With more rules of its own than this a chain edited from another gets an index of its own. */
const FEW_INSERTED = 64;

/** Below this, walking is as fast. */
const WORTH_AN_INDEX = 8;

const indexes = new WeakMap<Chain, ChainIndex>();

/** The chain's index, made once for all who share it; null for a chain that is walked. */
export function indexOf(chain: Chain): ChainIndex | null {
  if (chain.rules.length <= WORTH_AN_INDEX) return null;
  let index = indexes.get(chain);
  if (index === undefined) {
    index = editedIndex(chain) ?? compileChain(chain);
    indexes.set(chain, index);
  }
  return index.rest.length === chain.rules.length ? null : index;
}

/** The index of the chain that this one was edited from, used once more. */
function editedIndex(chain: Chain): ChainIndex | null {
  const edits = editsOf(chain);
  if (edits === null || edits.inserted.length > FEW_INSERTED) return null;
  const index = indexOf(edits.original);
  return index === null || index.edits !== null ? null : { ...index, edits };
}

/** Protocol and port in 24 bits. */
const portKey = (protocol: number, port: number): number => (protocol << 16) | port;

function put(map: Map<number, number[]>, key: number, position: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [position]);
  else list.push(position);
}

function compileChain(chain: Chain): ChainIndex {
  const byDestination = new Map<number, DestinationIndex>();
  const byPort = new Map<number, number[]>();
  const bySource = new Map<number, number[]>();
  const rest: number[] = [];
  chain.rules.forEach((rule, i) => {
    const { ip } = rule;
    const port = exactPort(rule);
    if (ip.dstMask === 0xffffffff && !ip.dstNegated) {
      const key = ip.dst | 0;
      let at = byDestination.get(key);
      if (at === undefined) {
        at = { any: [], byPort: new Map() };
        byDestination.set(key, at);
      }
      if (port === null) at.any.push(i);
      else put(at.byPort!, port, i);
    } else if (port !== null) put(byPort, port, i);
    else if (ip.srcMask === 0xffffffff && !ip.srcNegated) put(bySource, ip.src | 0, i);
    else rest.push(i);
  });
  for (const at of byDestination.values()) collapse(at);
  return { byDestination, byPort, bySource, rest, edits: null };
}

function collapse(at: DestinationIndex): void {
  const all = [...at.any, ...[...at.byPort!.values()].flat()];
  if (all.length > FEW) return;
  at.any = all.sort((a, b) => a - b);
  at.byPort = null;
}

/**
 * The one destination port, with its protocol, that a packet must have for the rule to match; null when it need not.
 * The matches that name ports only stand beside `-p` of their own protocol.
 */
function exactPort(rule: Rule): number | null {
  for (const m of rule.conditions) {
    if (!m.pure) return null;
    if (m.name !== "tcp" && m.name !== "udp" && m.name !== "sctp") continue;
    const range: PortRange | null = (m.data as TcpMatch | PortsMatch).dport;
    if (range !== null && !range.negated && range.min === range.max)
      return portKey(rule.ip.protocol, range.min);
  }
  return null;
}

const NONE: readonly number[] = [];

/** First place in an ascending list whose entry is at least `from`. */
export function lowerBound(list: readonly number[], from: number): number {
  if (from === 0) return 0;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The candidates for one packet, from one rule on; one object is used again and again. */
export class Candidates {
  private a: readonly number[] = NONE;
  private b: readonly number[] = NONE;
  private c: readonly number[] = NONE;
  private d: readonly number[] = NONE;
  private e: readonly number[] = NONE;
  private ia = 0;
  private ib = 0;
  private ic = 0;
  private id = 0;
  private ie = 0;

  start(index: ChainIndex, p: Packet, from: number): void {
    const port = portKey(p.protocol, p.dport);
    const destination = index.byDestination.get(p.dst | 0);
    this.a = destination === undefined ? NONE : destination.any;
    const ports = destination === undefined ? null : destination.byPort;
    this.b = (ports === null ? undefined : ports.get(port)) ?? NONE;
    this.c = index.byPort.get(port) ?? NONE;
    this.d = index.bySource.get(p.src | 0) ?? NONE;
    this.e = index.rest;
    this.ia = lowerBound(this.a, from);
    this.ib = lowerBound(this.b, from);
    this.ic = lowerBound(this.c, from);
    this.id = lowerBound(this.d, from);
    this.ie = lowerBound(this.e, from);
  }

  /** The next candidate in the chain's order; -1 when there is none. */
  next(): number {
    let least = 0x7fffffff;
    let which = 0;
    if (this.ia < this.a.length && this.a[this.ia]! < least) {
      least = this.a[this.ia]!;
      which = 1;
    }
    if (this.ib < this.b.length && this.b[this.ib]! < least) {
      least = this.b[this.ib]!;
      which = 2;
    }
    if (this.ic < this.c.length && this.c[this.ic]! < least) {
      least = this.c[this.ic]!;
      which = 3;
    }
    if (this.id < this.d.length && this.d[this.id]! < least) {
      least = this.d[this.id]!;
      which = 4;
    }
    if (this.ie < this.e.length && this.e[this.ie]! < least) {
      least = this.e[this.ie]!;
      which = 5;
    }
    switch (which) {
      case 0:
        return -1;
      case 1:
        this.ia++;
        break;
      case 2:
        this.ib++;
        break;
      case 3:
        this.ic++;
        break;
      case 4:
        this.id++;
        break;
      default:
        this.ie++;
    }
    return least;
  }
}
