import type { Journal } from "../../linux/journal.ts";
import type { Chain } from "../../linux/netfilter/rules/rule-set.ts";
import { RuleState } from "../../linux/netfilter/rules/state.ts";
import { namedAddresses, signature } from "./named-addresses.ts";
import type { ReachSource, SourceGroup } from "./source.ts";

/** Adds the chains that packets were led into since the checkpoint: a rule that jumps has been counted. */
export function chainsEntered(journal: Journal, into: Set<Chain>): void {
  for (const counter of journal.counters())
    if (counter instanceof RuleState && counter.jump !== null) into.add(counter.jump.chain);
}

/**
 * How a group falls apart by the chains that packets of one of its senders went through. Remembers, chain by chain,
 * which of the senders a chain tells from the rest: most tell none.
 */
export class Partition {
  private readonly group: SourceGroup;
  /** By chain, the few senders that are judged in another way than most, with their signatures; null for an opaque chain. */
  private readonly exceptions = new Map<Chain, ReadonlyMap<ReachSource, string> | null>();

  constructor(group: SourceGroup) {
    this.group = group;
  }

  /**
   * Those of `candidates` whose packets would have gone, rule by rule, the way that those of `traced` went through these
   * chains. Since equal judgement in one chain leads both into the same next one, the chains of one are those of all.
   */
  alike(traced: ReachSource, candidates: readonly ReachSource[], chains: ReadonlySet<Chain>): ReachSource[] {
    let alike = candidates.filter((one) => one !== traced);
    for (const chain of chains) {
      if (alike.length === 0) break;
      const exceptions = this.exceptionsOf(chain);
      if (exceptions === null) return [];
      if (exceptions.size === 0) continue;
      const own = exceptions.get(traced);
      alike = alike.filter((one) => exceptions.get(one) === own);
    }
    return alike;
  }

  private exceptionsOf(chain: Chain): ReadonlyMap<ReachSource, string> | null {
    let found = this.exceptions.get(chain);
    if (found === undefined) {
      const names = namedAddresses(chain);
      found = names.opaque
        ? null
        : exceptionsAmong(this.group.sources, (address) => signature(names, address));
      this.exceptions.set(chain, found);
    }
    return found;
  }
}

function exceptionsAmong(
  sources: readonly ReachSource[],
  signatureOf: (address: number) => string,
): ReadonlyMap<ReachSource, string> {
  const bySignature = new Map<string, ReachSource[]>();
  for (const source of sources) {
    const text = signatureOf(source.address ?? 0);
    const same = bySignature.get(text);
    if (same === undefined) bySignature.set(text, [source]);
    else same.push(source);
  }
  const [, ...rest] = [...bySignature].sort(([, a], [, b]) => b.length - a.length);
  return new Map(rest.flatMap(([text, same]) => same.map((source) => [source, text] as const)));
}
