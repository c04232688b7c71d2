import { ipTotalLength, isFragment } from "../../packet/packet.ts";
import type { NetDevice } from "../device/device.ts";
import { ipRouteMeHarder } from "../ip/route-output.ts";
import { reportRoute } from "../ip/route-report.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { confirm } from "./conntrack/confirm.ts";
import { IP_CT_UNTRACKED } from "./conntrack/entry.ts";
import { ConntrackTable } from "./conntrack/table.ts";
import { conntrackIn } from "./conntrack/track.ts";
import type { HookState } from "./context.ts";
import type { HookFunction, HookOps } from "./hook-ops.ts";
import {
  HOOK_NAMES,
  type Hook,
  NF_ACCEPT,
  NF_DROP,
  NF_INET_FORWARD,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
  NF_STOLEN,
  type Verdict,
} from "./hooks.ts";
import { writeRuleSet } from "./iptables-save/write.ts";
import { manipAt, natHook } from "./nat/hook.ts";
import { natInitialized } from "./nat/setup.ts";
import { applyNatTarget } from "./nat/targets.ts";
import { nftHookOps } from "./nftables/hooks.ts";
import { NftState } from "./nftables/state.ts";
import type { NftTable } from "./nftables/table.ts";
import { sendReject } from "./reject.ts";
import { ruleHost } from "./rule-host.ts";
import type { RuleHost } from "./rules/host.ts";
import { applyRestore } from "./rules/restore.ts";
import { tracksConnections } from "./rules/rule-facts.ts";
import type { RuleSet } from "./rules/rule-set.ts";
import { RuleSetState, type TableState } from "./rules/state.ts";
import { WALK_DROP, WALK_NAT, WALK_REJECT } from "./rules/verdict.ts";
import { countByPolicy, type OnRule, walkTable } from "./rules/walk.ts";

/** In which hooks a table has a chain. */
const TABLE_HOOKS: Readonly<Record<string, readonly Hook[]>> = {
  raw: [NF_INET_PRE_ROUTING, NF_INET_LOCAL_OUT],
  mangle: [0, 1, 2, 3, 4],
  nat: [NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING],
  filter: [NF_INET_LOCAL_IN, NF_INET_FORWARD, NF_INET_LOCAL_OUT],
  security: [NF_INET_LOCAL_IN, NF_INET_FORWARD, NF_INET_LOCAL_OUT],
};

/** Netfilter of one namespace: its rules, its connections, and who is asked at each hook in which order. */
export class Netfilter {
  private readonly netns: Netns;
  private readonly host: RuleHost;
  /** What the rules have seen: counters, recent lists. */
  readonly state = new RuleSetState();
  /** Connections; null while no rule here needs them (nf_ct_netns_get). */
  conntrack: ConntrackTable | null = null;
  /** nftables' table of this namespace; null without. */
  nftables: NftState | null = null;
  private nftablesOps: readonly HookOps[] = [];
  private readonly registered: HookOps[] = [];
  private hooks: readonly (readonly HookFunction[])[] = [[], [], [], [], []];
  /** Where the packet is while a rule looks at it; a walk ends before another begins. */
  private readonly at: HookState = { hook: 0, in: null, out: null };

  constructor(netns: Netns) {
    this.netns = netns;
    this.host = ruleHost(netns);
  }

  get ruleSet(): RuleSet {
    return this.state.ruleSet;
  }

  /** Look-ups in sets and verdict maps since the namespace was made: what a packet costs beside rules. */
  get lookups(): number {
    return this.state.setLookups + (this.nftables?.lookups ?? 0);
  }

  /**
   * `iptables-restore`: without `noflush` the tables that the text names are emptied first. Throws RuleSetError with
   * the line of what is wrong or cannot be judged, and changes nothing then.
   */
  load(text: string, options: { noflush?: boolean; counters?: boolean } = {}): void {
    this.install(
      applyRestore(this.ruleSet, text, {
        noflush: options.noflush ?? false,
        counters: options.counters ?? false,
      }),
    );
  }

  /** Puts a rule set in force that several namespaces may share. */
  install(ruleSet: RuleSet): void {
    this.state.load(ruleSet);
    this.place();
  }

  /** Puts nftables' one table in force, beside iptables' (`nft -f`); null takes it away. */
  installNftables(table: NftTable | null): void {
    this.nftables = table === null ? null : new NftState(table, this.nftables);
    this.nftablesOps = this.nftables === null ? [] : nftHookOps(this.netns, this.host, this.nftables);
    this.place();
  }

  /** `nf_register_net_hooks`: somebody else sits down on hooks, who needs connections to be tracked. */
  register(ops: readonly HookOps[]): void {
    this.registered.push(...ops);
    this.place();
  }

  /** Everybody's places on the hooks, and whether connections are tracked, after somebody has come or gone. */
  private place(): void {
    if (!tracksConnections(this.ruleSet) && this.others().length === 0) this.conntrack = null;
    else this.conntrack ??= new ConntrackTable(this.netns);
    this.hooks = ([0, 1, 2, 3, 4] as const).map((hook) => this.functionsAt(hook));
  }

  /** Does anybody but iptables judge packets here: nftables, IPVS, a second set of tables? */
  get isShared(): boolean {
    return this.others().length > 0;
  }

  private others(): readonly HookOps[] {
    return [...this.nftablesOps, ...this.registered];
  }

  /** The rules as `iptables-save` prints them. */
  save(options: { counters?: boolean } = {}): string {
    return writeRuleSet(this.ruleSet, this.state, { counters: options.counters ?? false });
  }

  /**
   * `nf_hook`: asks everybody on a hook. Anything but NF_ACCEPT means that the packet has ended or waits, and that
   * this has been said where it happened.
   */
  run(hook: Hook, skb: Skb, indev: NetDevice | null, outdev: NetDevice | null): Verdict {
    const functions = this.hooks[hook]!;
    for (let i = 0; i < functions.length; i++) {
      const verdict = functions[i]!(skb, hook, indev, outdev);
      if (verdict !== NF_ACCEPT) return verdict;
    }
    return NF_ACCEPT;
  }

  /** The functions of a hook in the order of their priorities (see hooks.ts). */
  private functionsAt(hook: Hook): HookFunction[] {
    const placed: { readonly priority: number; readonly run: HookFunction }[] = [];
    const sit = (priority: number, run: HookFunction): void => void placed.push({ priority, run });
    const table = (name: string, priority: number): void => {
      const state = this.state.table(name);
      if (state === null || !TABLE_HOOKS[name]!.includes(hook)) return;
      if (name === "mangle" && hook === NF_INET_LOCAL_OUT) sit(priority, this.mangleOutput(state));
      else sit(priority, (skb, at, indev, outdev) => this.walk(state, skb, at, indev, outdev));
    };
    const entering = hook === NF_INET_PRE_ROUTING || hook === NF_INET_LOCAL_OUT;
    const leaving = hook === NF_INET_LOCAL_IN || hook === NF_INET_POST_ROUTING;
    const conntrack = this.conntrack;
    if (entering && conntrack !== null) sit(-400, (skb, at) => this.defragment(skb, at));
    table("raw", -300);
    if (entering && conntrack !== null) sit(-200, (skb, at) => conntrackIn(this.netns, conntrack, skb, at));
    table("mangle", -150);
    const nat = hook === NF_INET_FORWARD ? null : this.natFunction(hook);
    if (nat !== null) sit(entering ? -100 : 100, nat);
    table("filter", 0);
    table("security", 50);
    if (leaving && conntrack !== null)
      sit(Number.POSITIVE_INFINITY, (skb, at) => confirm(this.netns, skb, at));
    for (const { hook: at, priority, translates, run } of this.others())
      if (at === hook && !translates) sit(priority, run);
    return placed.sort((a, b) => a.priority - b.priority).map(({ run }) => run);
  }

  /** `ipv4_conntrack_defrag`: connections are tracked by whole datagrams. */
  private defragment(skb: Skb, hook: Hook): Verdict {
    if (!isFragment(skb.packet) || skb.ct !== null || skb.ctinfo === IP_CT_UNTRACKED) return NF_ACCEPT;
    const user =
      hook === NF_INET_LOCAL_OUT ? "conntrack-out" : skb.nfBridge !== null ? "bridge" : "conntrack-in";
    return this.netns.defragmenter.add(skb, user) ? NF_ACCEPT : NF_STOLEN;
  }

  /** `ipt_do_table` for every table but nat. */
  private walk(
    table: TableState,
    skb: Skb,
    hook: Hook,
    indev: NetDevice | null,
    outdev: NetDevice | null,
  ): Verdict {
    const { state } = this;
    const base = table.base[hook]!;
    const { recorder } = this.netns.network;
    // mangle's chains are empty on most nodes, and in every packet's way
    if (recorder === null && base !== null && base.chain.rules.length === 0 && base.chain.policy !== "DROP") {
      countByPolicy(base, ipTotalLength(skb.packet), this.netns.clock.journal);
      return NF_ACCEPT;
    }
    switch (this.walkTable(table, skb, hook, indev, outdev)) {
      case WALK_DROP:
        this.drop(table, skb, hook, null);
        return NF_DROP;
      case WALK_REJECT: {
        const { decidedChain, decidedRule } = state;
        sendReject(this.netns, skb, state.reject!);
        state.decidedChain = decidedChain;
        state.decidedRule = decidedRule;
        this.drop(table, skb, hook, "REJECT");
        return NF_DROP;
      }
      default:
        return NF_ACCEPT;
    }
  }

  private walkTable(
    table: TableState,
    skb: Skb,
    hook: Hook,
    indev: NetDevice | null,
    outdev: NetDevice | null,
  ) {
    const { at, host, netns, state } = this;
    at.hook = hook;
    at.in = indev;
    at.out = outdev;
    const { recorder } = netns.network;
    if (recorder === null) return walkTable(state, table, at, skb, host, null);
    const verdict = walkTable(state, table, at, skb, host, this.reporter(table, skb, hook, indev, outdev));
    recorder.record({
      type: "table",
      timeUs: netns.clock.nowUs,
      netns: netns.name,
      serial: skb.serial,
      hook: HOOK_NAMES[hook],
      table: table.table.name,
      rulesWalked: state.rulesWalked,
    });
    return verdict;
  }

  /** Only while somebody watches: tells the recorder of every rule that matched. */
  private reporter(
    table: TableState,
    skb: Skb,
    hook: Hook,
    indev: NetDevice | null,
    outdev: NetDevice | null,
  ): OnRule {
    const { netns } = this;
    return (chain, rule, matched, verdict) =>
      netns.network.recorder!.record({
        type: "rule",
        timeUs: netns.clock.nowUs,
        netns: netns.name,
        serial: skb.serial,
        hook: HOOK_NAMES[hook],
        table: table.table.name,
        chain: chain.name,
        rule,
        target: matched?.target.name ?? chain.policy ?? "",
        verdict,
        text: matched?.text ?? null,
        in: indev?.name ?? null,
        out: outdev?.name ?? null,
      });
  }

  private drop(table: TableState, skb: Skb, hook: Hook, detail: string | null): void {
    const { decidedChain, decidedRule } = this.state;
    const place = { hook, table: table.table.name, rule: decidedRule };
    this.netns.drop(
      skb,
      "NETFILTER_DROP",
      "nf_hook_slow",
      decidedChain === null ? place : { ...place, chain: decidedChain.name },
      detail,
    );
  }

  /** `ipt_mangle_out`: a packet whose mark, addresses or TOS have changed is routed anew. */
  private mangleOutput(table: TableState): HookFunction {
    return (skb, hook, indev, outdev) => {
      const { packet, mark } = skb;
      const { src, dst, tos } = packet;
      const verdict = this.walk(table, skb, hook, indev, outdev);
      if (verdict !== NF_ACCEPT) return verdict;
      if (packet.src === src && packet.dst === dst && packet.tos === tos && skb.mark === mark)
        return NF_ACCEPT;
      return this.reroute(table.table.name, skb, hook);
    };
  }

  /** Translation at a hook; null where nobody translates. */
  private natFunction(hook: Hook): HookFunction | null {
    const { conntrack, netns } = this;
    const table = this.state.table("nat");
    const others = this.others().filter((one) => one.translates && one.hook === hook);
    if (conntrack === null || (table === null && others.length === 0)) return null;
    const manip = manipAt(hook);
    const walkChains: HookFunction = (skb, at, indev, outdev) => {
      for (const { run } of others) {
        const verdict = run(skb, at, indev, outdev);
        if (verdict !== NF_ACCEPT || natInitialized(skb.ct!, manip)) return verdict;
      }
      return table === null ? NF_ACCEPT : this.walkNat(conntrack, table, skb, at, indev, outdev);
    };
    return (skb, at, indev, outdev) => {
      const destination = skb.packet.dst;
      const verdict = natHook(netns, conntrack, skb, at, indev, outdev, walkChains);
      if (verdict !== NF_ACCEPT) return verdict;
      // nf_nat_ipv4_pre_routing: the route that it came with leads elsewhere
      if (at === NF_INET_PRE_ROUTING && skb.packet.dst !== destination) skb.route = null;
      // nf_nat_ipv4_local_fn: another destination, another way
      if (at === NF_INET_LOCAL_OUT && destinationTranslated(skb)) return this.reroute("nat", skb, at);
      return NF_ACCEPT;
    };
  }

  /** The nat table's chain of a hook, and what its target asks for. */
  private walkNat(
    conntrack: ConntrackTable,
    table: TableState,
    skb: Skb,
    hook: Hook,
    indev: NetDevice | null,
    outdev: NetDevice | null,
  ): Verdict {
    const verdict = this.walkTable(table, skb, hook, indev, outdev);
    if (verdict === WALK_NAT) {
      const target = this.state.natTarget!;
      const applied = applyNatTarget(this.netns, conntrack, skb, target, hook, manipAt(hook), indev, outdev);
      if (applied !== NF_ACCEPT) this.drop(table, skb, hook, `${target.type} found no address`);
      return applied;
    }
    if (verdict !== WALK_DROP) return NF_ACCEPT;
    this.drop(table, skb, hook, null);
    return NF_DROP;
  }

  private reroute(table: string, skb: Skb, hook: Hook): Verdict {
    skb.dropError = ipRouteMeHarder(this.netns, skb);
    if (skb.dropError === null) {
      const { recorder } = this.netns.network;
      if (recorder !== null) reportRoute(recorder, this.netns, skb, "output");
      return NF_ACCEPT;
    }
    this.netns.drop(
      skb,
      "NETFILTER_DROP",
      "nf_hook_slow",
      { hook, table },
      "there is no way from the packet's source to its new destination",
    );
    return NF_DROP;
  }
}

/** Do the two tuples of the packet's connection disagree about where it goes? */
function destinationTranslated(skb: Skb): boolean {
  const { ct } = skb;
  if (ct === null) return false;
  const { original, reply } = ct;
  return skb.ctinfo >= 3 ? reply.dst !== original.src : original.dst !== reply.src;
}
