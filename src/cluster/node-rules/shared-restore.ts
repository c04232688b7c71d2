import { RuleSetError } from "../../linux/netfilter/rules/error.ts";
import { type ChainSource, LayeredChains } from "../../linux/netfilter/rules/layered-chains.ts";
import { applyRestore } from "../../linux/netfilter/rules/restore.ts";
import type { Chain, RuleSet, Table } from "../../linux/netfilter/rules/rule-set.ts";
import { RuleStore } from "../../linux/netfilter/rules/rule-store.ts";
import type { SharedServicePortRules } from "../kube-proxy/shared-rules.ts";
import { KubeProxyChains } from "./kube-proxy-chains.ts";

/**
 * Carries out restores for many nodes. Equal rules and chains are one object for all of them, and a text that is handed
 * over again is not read again: kube-proxies of one cluster mostly write the same.
 */
export class SharedRestore {
  private readonly store = new RuleStore();
  private kubeProxy: { readonly of: SharedServicePortRules; readonly chains: KubeProxyChains } | null = null;
  private readonly known = new Map<string, readonly OwnChains[]>();

  /** `iptables-restore --noflush`: the rules after the text; `rules` are those before and stay as they are. */
  apply(rules: RuleSet, text: string): RuleSet {
    return text === "" ? rules : applyRestore(rules, text, { noflush: true, store: this.store });
  }

  /** The same for a text that puts rules into no other chains than those it declares, and that other nodes will have too. */
  applyShared(rules: RuleSet, text: string): RuleSet {
    const known = this.known.get(text);
    if (known !== undefined) return { ...rules, tables: known.reduce(graft, rules.tables) };
    const restored = this.apply(rules, text);
    this.known.set(text, ownChains(restored, text));
    return restored;
  }

  /** kube-proxy's chains for one state of the cluster. */
  kubeProxyChains(shared: SharedServicePortRules): KubeProxyChains {
    if (this.kubeProxy?.of !== shared)
      this.kubeProxy = { of: shared, chains: new KubeProxyChains(shared, this.store) };
    return this.kubeProxy.chains;
  }

  /**
   * A restore that declares all chains of the sources, in the place of those of an earlier source. Throws RuleSetError
   * when a chain is gone that a rule of somebody else still jumps to.
   */
  applySources(rules: RuleSet, sources: Readonly<Record<string, ChainSource>>): RuleSet {
    const tables = rules.tables.map((table) => {
      const source = sources[table.name];
      return source === undefined ? table : layer(table, source);
    });
    return { ...rules, tables };
  }

  /** Forgets the texts: others are to come. */
  forgetTexts(): void {
    this.known.clear();
  }
}

function layer({ name, chains }: Table, source: ChainSource): Table {
  const before = chains instanceof LayeredChains ? chains : null;
  const own = new Map([...(before?.own ?? chains)].filter(([chain]) => !source.has(chain)));
  const layered = new LayeredChains(own, source);
  if (before !== null)
    for (const chain of own.values())
      for (const { target } of chain.rules)
        if (before.has(target.name) && !layered.has(target.name))
          throw new RuleSetError(null, `chain "${target.name}" is still used by "${chain.name}"`);
  return { name, chains: layered, flushed: source };
}

/** The chains that a text declares in one table, as the restore made them. */
interface OwnChains {
  readonly table: string;
  readonly chains: readonly Chain[];
}

function ownChains({ tables }: RuleSet, text: string): OwnChains[] {
  return text
    .split(/^\*/m)
    .slice(1)
    .map((part) => {
      const table = part.slice(0, part.indexOf("\n"));
      const made = tables.find(({ name }) => name === table)!.chains;
      return { table, chains: [...part.matchAll(/^:(\S+)/gm)].map(([, chain]) => made.get(chain!)!) };
    });
}

/** The tables with those chains in the place of what was there under their names. */
function graft(tables: readonly Table[], { table, chains }: OwnChains): readonly Table[] {
  const old = tables.find(({ name }) => name === table)!;
  const all = new Map(old.chains);
  for (const chain of chains) all.set(chain.name, chain);
  const grafted = { name: table, chains: all, flushed: new Set(chains.map(({ name }) => name)) };
  return tables.map((one) => (one === old ? grafted : one));
}
