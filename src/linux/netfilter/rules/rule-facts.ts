import type { RecentMatch } from "./match/recent.ts";
import type { Chain, RuleSet } from "./rule-set.ts";
import { WALK_NAT } from "./verdict.ts";

const recentByChain = new WeakMap<Chain, readonly RecentMatch[]>();
const NO_USES: readonly RecentMatch[] = [];

/** The `-m recent` matches of a chain. */
export function recentUses(chain: Chain): readonly RecentMatch[] {
  let uses = recentByChain.get(chain);
  if (uses === undefined) {
    const found = chain.rules.flatMap((rule) => rule.matches.filter((m) => m.name === "recent"));
    uses = found.length === 0 ? NO_USES : found.map((m) => m.data as RecentMatch);
    recentByChain.set(chain, uses);
  }
  return uses;
}

const TRACKING_MATCHES = new Set(["conntrack", "state", "connmark"]);
const TRACKING_TARGETS = new Set(["CONNMARK", "CT"]);
const trackingByChain = new WeakMap<Chain, boolean>();

function chainTracks(chain: Chain): boolean {
  let tracks = trackingByChain.get(chain);
  if (tracks === undefined) {
    tracks = chain.rules.some(
      (rule) =>
        rule.target.code === WALK_NAT ||
        TRACKING_TARGETS.has(rule.target.name) ||
        rule.matches.some((m) => TRACKING_MATCHES.has(m.name)),
    );
    trackingByChain.set(chain, tracks);
  }
  return tracks;
}

/** Does a rule here need connection tracking in its namespace (`nf_ct_netns_get` when the rule is taken, reached or not)? */
export function tracksConnections(ruleSet: RuleSet): boolean {
  for (const { chains } of ruleSet.tables)
    for (const chain of chains.values()) if (chainTracks(chain)) return true;
  return false;
}
