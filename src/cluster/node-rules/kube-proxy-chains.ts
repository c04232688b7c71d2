import { type ChainEdit, editChain } from "../../linux/netfilter/rules/edited-chain.ts";
import type { ChainSource } from "../../linux/netfilter/rules/layered-chains.ts";
import type { Chain, Rule } from "../../linux/netfilter/rules/rule-set.ts";
import type { RuleStore } from "../../linux/netfilter/rules/rule-store.ts";
import type { Proxier } from "../kube-proxy/proxier.ts";
import { type Frame, frameOf } from "../kube-proxy/restore.ts";
import type { ServicePortRules } from "../kube-proxy/service-port-rules.ts";
import type { NodePortRules, SharedServicePortRules } from "../kube-proxy/shared-rules.ts";

type ProxyTable = "filter" | "nat";

/** `KUBE-SERVICES` of `-A KUBE-SERVICES …`. */
const chainOfLine = (line: string): string => line.slice(3, line.indexOf(" ", 3));

/**
 * kube-proxy's chains on the nodes of one cluster, as its restore would make them, but each made when it is first asked
 * for. Nodes share every chain that is equal on them, and what it takes to find a packet's rules in it.
 */
export class KubeProxyChains {
  private readonly shared: SharedServicePortRules;
  private readonly store: RuleStore;
  /** Whose a chain of nat is: the place of its Service port. Filled as rules come up that have it. */
  private readonly owners = new Map<string, number>();
  private readonly registered = new WeakSet<ServicePortRules>();
  private varying: ReadonlyMap<number, number> | null = null;
  private readonly ownChains = new WeakMap<ServicePortRules, Map<string, Chain>>();
  /** Chains to which every Service port may contribute, by who contributes what and what stands around that. */
  private readonly commonChains = new WeakMap<readonly ServicePortRules[], Map<string, CommonChain>>();
  private readonly contributions = new WeakMap<ServicePortRules, Map<string, Contribution>>();
  private readonly contributionIds = new Map<string, number>([["", NOTHING.id]]);

  constructor(shared: SharedServicePortRules, store: RuleStore) {
    this.shared = shared;
    this.store = store;
  }

  /** The chains of one node, by table. */
  of(proxier: Proxier): Readonly<Record<ProxyTable, ChainSource>> {
    const ports = this.shared.of(proxier);
    if (this.owners.size === 0)
      for (const [place, { port }] of ports.common.entries())
        for (const name of Object.values(port.chains)) this.owners.set(name, place);
    const frame = frameOf(proxier);
    return {
      filter: new NodeChains(this, "filter", frame, ports),
      nat: new NodeChains(this, "nat", frame, ports),
    };
  }

  /** Whose the chains of a Service port are that endpoints have. */
  private register(place: number, rules: ServicePortRules): void {
    if (this.registered.has(rules)) return;
    this.registered.add(rules);
    for (const chain of rules.natChains) this.owners.set(chain, place);
  }

  /** Where among what varies a Service port stands, by its place among all. */
  varyingAt(place: number, { varying }: NodePortRules): number | undefined {
    if (this.varying === null) this.varying = new Map(varying.map((at, i) => [at, i]));
    return this.varying.get(place);
  }

  /** The place of the Service port whose chain of nat that may be on a node. */
  ownerOf(chain: string, ports: NodePortRules): number | undefined {
    const place = this.owners.get(chain);
    if (place !== undefined || !chain.startsWith("KUBE-SEP-")) return place;
    // nobody has looked into the chain that leads there
    ports.common.forEach((rules, i) => {
      this.register(i, rules);
    });
    ports.own.forEach((rules, i) => {
      this.register(ports.varying[i]!, rules);
    });
    return this.owners.get(chain);
  }

  /** A Service port's own chain. */
  ownChain(place: number, rules: ServicePortRules, name: string): Chain {
    this.register(place, rules);
    let chains = this.ownChains.get(rules);
    if (chains === undefined) {
      chains = new Map();
      this.ownChains.set(rules, chains);
    }
    let chain = chains.get(name);
    if (chain === undefined) {
      const lines = rules.ownNatRules.filter((line) => chainOfLine(line) === name);
      chain = chainOf(name, this.parse("nat", lines));
      chains.set(name, chain);
    }
    return chain;
  }

  /** A chain that the frame declares, with what Service ports put into it. */
  topLevelChain(table: ProxyTable, name: string, frame: Frame, ports: NodePortRules): Chain {
    const common = this.commonChain(table, name, frame, ports.common);
    const edits: ChainEdit[] = [];
    let key = "";
    for (let i = 0; i < ports.own.length; i++) {
      const rules = ports.own[i]!;
      const place = ports.varying[i]!;
      const theirs = ports.common[place]!;
      if (rules === theirs) continue;
      const own = this.contribution(`${table} ${name}`, rules);
      const replaced = this.contribution(`${table} ${name}`, theirs);
      if (own.id === replaced.id) continue;
      edits.push({ at: common.starts[place]!, removed: replaced.rules.length, inserted: own.rules });
      key += `${place}:${own.id} `;
    }
    if (edits.length === 0) return common.chain;
    let chain = common.edited.get(key);
    if (chain === undefined) {
      chain = editChain(common.chain, edits);
      common.edited.set(key, chain);
    }
    return chain;
  }

  private commonChain(
    table: ProxyTable,
    name: string,
    frame: Frame,
    ports: readonly ServicePortRules[],
  ): CommonChain {
    const mine = (lines: readonly string[]): string[] => lines.filter((line) => chainOfLine(line) === name);
    const nat = table === "nat";
    const before = mine(nat ? frame.natBefore : frame.filterBefore);
    const after = mine(nat ? frame.natAfter : frame.filterAfter);
    let known = this.commonChains.get(ports);
    if (known === undefined) {
      known = new Map();
      this.commonChains.set(ports, known);
    }
    const key = [table, name, ...before, ...after].join("\n");
    let common = known.get(key);
    if (common === undefined) {
      const rules = this.parse(table, before);
      const starts = ports.map((port) => {
        const start = rules.length;
        for (const rule of this.contribution(`${table} ${name}`, port).rules) rules.push(rule);
        return start;
      });
      for (const rule of this.parse(table, after)) rules.push(rule);
      common = { chain: chainOf(name, rules), starts, edited: new Map() };
      known.set(key, common);
    }
    return common;
  }

  private contribution(slot: string, rules: ServicePortRules): Contribution {
    let slots = this.contributions.get(rules);
    if (slots === undefined) {
      slots = this.contributionsOf(rules);
      this.contributions.set(rules, slots);
    }
    return slots.get(slot) ?? NOTHING;
  }

  private contributionsOf({ filterRules, sharedNatRules }: ServicePortRules): Map<string, Contribution> {
    const tables = [
      ["filter", filterRules],
      ["nat", sharedNatRules],
    ] as const;
    const lines = new Map<string, string[]>();
    for (const [table, all] of tables)
      for (const line of all) {
        const slot = `${table} ${chainOfLine(line)}`;
        const known = lines.get(slot);
        if (known === undefined) lines.set(slot, [line]);
        else known.push(line);
      }
    const parsed = [...lines].map(([slot, all]): [string, Contribution] => {
      const table = slot.slice(0, slot.indexOf(" ")) as ProxyTable;
      return [slot, { id: this.idOf(all.join("\n")), rules: this.parse(table, all) }];
    });
    return new Map(parsed);
  }

  private idOf(text: string): number {
    let id = this.contributionIds.get(text);
    if (id === undefined) {
      id = this.contributionIds.size;
      this.contributionIds.set(text, id);
    }
    return id;
  }

  private parse(table: ProxyTable, lines: readonly string[]): Rule[] {
    return lines.flatMap((line) => this.store.parseAppended(line, table));
  }
}

const chainOf = (name: string, rules: readonly Rule[]): Chain => ({
  name,
  policy: null,
  rules,
  counters: null,
});

/** A chain of most nodes, where in it each Service port's rules begin, and what other nodes have made of it. */
interface CommonChain {
  readonly chain: Chain;
  readonly starts: readonly number[];
  readonly edited: Map<string, Chain>;
}

/** What a Service port puts into a chain that others put rules into too; equal texts have equal numbers. */
interface Contribution {
  readonly id: number;
  readonly rules: readonly Rule[];
}

const NOTHING: Contribution = { id: 0, rules: [] };

/** kube-proxy's chains of one table on one node. */
class NodeChains implements ChainSource {
  private readonly all: KubeProxyChains;
  private readonly table: ProxyTable;
  private readonly frame: Frame;
  private readonly ports: NodePortRules;
  private readonly declared: readonly string[];
  private readonly made = new Map<string, Chain>();

  constructor(all: KubeProxyChains, table: ProxyTable, frame: Frame, ports: NodePortRules) {
    this.all = all;
    this.table = table;
    this.frame = frame;
    this.ports = ports;
    this.declared = table === "nat" ? frame.natChains : frame.filterChains;
  }

  has(name: string): boolean {
    return this.declared.includes(name) || this.placeOf(name) !== null;
  }

  get(name: string): Chain | undefined {
    let chain = this.made.get(name);
    if (chain !== undefined) return chain;
    if (this.declared.includes(name))
      chain = this.all.topLevelChain(this.table, name, this.frame, this.ports);
    else {
      const place = this.placeOf(name);
      if (place === null) return undefined;
      chain = this.all.ownChain(place, this.rulesAt(place), name);
    }
    this.made.set(name, chain);
    return chain;
  }

  *names(): Iterable<string> {
    yield* this.declared;
    if (this.table === "nat")
      for (let i = 0; i < this.ports.common.length; i++) yield* this.rulesAt(i).natChains;
  }

  private rulesAt(place: number): ServicePortRules {
    const varying = this.all.varyingAt(place, this.ports);
    return varying === undefined ? this.ports.common[place]! : this.ports.own[varying]!;
  }

  /** The place of the Service port whose chain that is on this node. */
  private placeOf(name: string): number | null {
    const place = this.table === "nat" ? this.all.ownerOf(name, this.ports) : undefined;
    return place !== undefined && this.rulesAt(place).natChains.includes(name) ? place : null;
  }
}
