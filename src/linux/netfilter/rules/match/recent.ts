import type { Skb } from "../../../skb.ts";
import { parseAddress, printAddress } from "../address-text.ts";
import type { RuleContext } from "../context.ts";
import { refuse } from "../error.ts";
import { parseNumber } from "../number-text.ts";
import {
  addRecentEntry,
  findRecentEntry,
  keepRecents,
  type RecentTable,
  reapRecent,
  recentHits,
  removeRecentEntry,
  updateRecentEntry,
} from "../recent-table.ts";
import { type MatchExtension, not, option, type ParsedOption } from "./extension.ts";

export interface RecentMatch {
  readonly action: "set" | "rcheck" | "update" | "remove";
  readonly negated: boolean;
  readonly seconds: number;
  readonly reap: boolean;
  readonly hitcount: number;
  readonly ttl: boolean;
  readonly name: string;
  readonly mask: number;
  readonly side: "rsource" | "rdest";
}

/** The list, looked up by name once. */
export interface RecentState {
  readonly table: RecentTable;
}

function numberOf(options: readonly ParsedOption[], name: string, min: number): number {
  const o = option(options, name);
  return o === null ? 0 : parseNumber(o.values[0]!, 0xffffffff, `recent --${name}`, min);
}

/** `-m recent` (net/netfilter/xt_recent.c: recent_mt). */
export const recent: MatchExtension<RecentMatch, RecentState> = {
  name: "recent",
  options: {
    set: 0,
    rcheck: 0,
    update: 0,
    remove: 0,
    seconds: 1,
    reap: 0,
    hitcount: 1,
    rttl: 0,
    name: 1,
    mask: 1,
    rsource: 0,
    rdest: 0,
  },
  parse(options) {
    const actions = options.filter((o) => ["set", "rcheck", "update", "remove"].includes(o.name));
    const action = actions[0];
    if (action === undefined || actions.length > 1) {
      return refuse('recent: you must specify one of "--set", "--rcheck", "--update" or "--remove"');
    }
    const m: RecentMatch = {
      action: action.name as RecentMatch["action"],
      negated: action.negated,
      seconds: numberOf(options, "seconds", 1),
      reap: option(options, "reap") !== null,
      hitcount: numberOf(options, "hitcount", 1),
      ttl: option(options, "rttl") !== null,
      name: option(options, "name")?.values[0] ?? "DEFAULT",
      mask: parseAddress(option(options, "mask")?.values[0] ?? "255.255.255.255", "recent --mask"),
      side: option(options, "rdest") ? "rdest" : "rsource",
    };
    if ((m.action === "set" || m.action === "remove") && (m.seconds || m.hitcount || m.reap || m.ttl)) {
      refuse(`recent: --${m.action} goes with none of --seconds, --hitcount, --reap, --rttl`);
    }
    if (m.reap && m.seconds === 0) refuse('recent: option "--reap" also requires "--seconds"');
    if (m.hitcount > 255) refuse("recent: hitcount is larger than allowed maximum (255)");
    if (m.name === "" || m.name.length > 199) refuse("recent: the name of a list has 1 to 199 characters");
    return m;
  },
  print(m) {
    let text = `${not(m.negated)} --${m.action}`;
    if (m.seconds) text += ` --seconds ${m.seconds}`;
    if (m.reap) text += " --reap";
    if (m.hitcount) text += ` --hitcount ${m.hitcount}`;
    if (m.ttl) text += " --rttl";
    return `${text} --name ${m.name} --mask ${printAddress(m.mask)} --${m.side}`;
  },
  evaluate: recentMatches,
  newState: (m, context) => ({ table: context.state.recentTable(m.name, m.hitcount, m.mask) }),
  pure: false,
};

function recentMatches(m: RecentMatch, skb: Skb, context: RuleContext, state: RecentState): boolean {
  const table = state.table;
  const { journal } = context.host.clock;
  if (journal !== null) keepRecents(journal, table);
  const p = skb.packet;
  const nowUs = context.host.clock.nowUs;
  const address = ((m.side === "rdest" ? p.dst : p.src) & table.mask) >>> 0;
  // The TTL as seen before forwarding
  const made = skb.inputIfindex === 0;
  const ttl = context.at.out !== null && !made ? (p.ttl + 1) & 255 : p.ttl;
  const entry = findRecentEntry(table, address, m.ttl ? ttl : 0);
  if (entry === null) {
    if (m.action !== "set") return m.negated;
    addRecentEntry(table, address, ttl, nowUs);
    return !m.negated;
  }
  let result = m.negated;
  if (m.action === "set") result = !result;
  else if (m.action === "remove") {
    removeRecentEntry(table, entry);
    result = !result;
  } else {
    const sinceUs = m.seconds === 0 ? Number.NEGATIVE_INFINITY : nowUs - m.seconds * 1_000_000;
    if (recentHits(entry, sinceUs, m.hitcount)) result = !result;
    if (m.reap) reapRecent(table, sinceUs, entry, m.action === "update" && result);
  }
  if (m.action === "set" || (m.action === "update" && result)) {
    updateRecentEntry(table, entry, nowUs);
    entry.ttl = ttl;
  }
  return result;
}
