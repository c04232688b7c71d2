import type { NetDevice } from "../../device/device.ts";
import type { Netns } from "../../netns.ts";
import type { Skb } from "../../skb.ts";
import type { HookState } from "../context.ts";
import type { HookOps } from "../hook-ops.ts";
import { HOOK_NAMES, type Hook, NF_ACCEPT, NF_DROP, type Verdict } from "../hooks.ts";
import { manipAt } from "../nat/hook.ts";
import { applyNatTarget } from "../nat/targets.ts";
import { sendReject } from "../reject.ts";
import type { RuleHost } from "../rules/host.ts";
import { WALK_DROP, WALK_NAT, WALK_REJECT } from "../rules/verdict.ts";
import type { NftState } from "./state.ts";
import type { NftChain } from "./table.ts";
import { type OnNftRule, walkNftChain } from "./walk.ts";

/** The base chains of a table as functions on the hooks of a namespace. */
export function nftHookOps(netns: Netns, host: RuleHost, state: NftState): HookOps[] {
  const at: HookState = { hook: 0, in: null, out: null };
  const context = {
    at,
    host,
    get journal() {
      return netns.clock.journal;
    },
  };
  return [...state.table.chains.values()].flatMap((chain) => {
    if (chain.base === null) return [];
    const { hook, priority, type } = chain.base;
    const run = (skb: Skb, now: Hook, indev: NetDevice | null, outdev: NetDevice | null): Verdict => {
      netns.clock.journal?.keep(state);
      at.hook = now;
      at.in = indev;
      at.out = outdev;
      const verdict = walkNftChain(
        state,
        chain,
        skb,
        context,
        reporter(netns, state, skb, now, indev, outdev),
      );
      return carryOut(netns, state, chain, verdict, skb, now, indev, outdev);
    };
    return [{ hook, priority, translates: type === "nat", run }];
  });
}

function carryOut(
  netns: Netns,
  state: NftState,
  base: NftChain,
  verdict: ReturnType<typeof walkNftChain>,
  skb: Skb,
  hook: Hook,
  indev: NetDevice | null,
  outdev: NetDevice | null,
): Verdict {
  reportTable(netns, state, skb, hook);
  const { name } = state.table;
  const place = { hook, table: name, chain: state.decidedChain, rule: state.decidedRule };
  switch (verdict) {
    case WALK_DROP:
      netns.drop(skb, "NETFILTER_DROP", "nf_hook_slow", place);
      return NF_DROP;
    case WALK_REJECT:
      sendReject(netns, skb, { type: "REJECT", with: "icmp-port-unreachable" });
      netns.drop(skb, "NETFILTER_DROP", "nf_hook_slow", place, "reject");
      return NF_DROP;
    case WALK_NAT: {
      const target = state.natTarget!;
      const table = netns.netfilter.conntrack;
      if (table === null || base.base?.type !== "nat") return NF_ACCEPT;
      const applied = applyNatTarget(netns, table, skb, target, hook, manipAt(hook), indev, outdev);
      if (applied !== NF_ACCEPT)
        netns.drop(skb, "NETFILTER_DROP", "nf_hook_slow", place, `${target.type} found no address`);
      return applied;
    }
    default:
      return NF_ACCEPT;
  }
}

function reportTable(netns: Netns, state: NftState, skb: Skb, hook: Hook): void {
  netns.network.recorder?.record({
    type: "table",
    timeUs: netns.clock.nowUs,
    netns: netns.name,
    serial: skb.serial,
    hook: HOOK_NAMES[hook],
    table: state.table.name,
    rulesWalked: state.rulesWalked,
  });
}

/** Only while somebody watches. */
function reporter(
  netns: Netns,
  state: NftState,
  skb: Skb,
  hook: Hook,
  indev: NetDevice | null,
  outdev: NetDevice | null,
): OnNftRule | null {
  const { recorder } = netns.network;
  if (recorder === null) return null;
  return (chain, rule, matched, verdict) =>
    recorder.record({
      type: "rule",
      timeUs: netns.clock.nowUs,
      netns: netns.name,
      serial: skb.serial,
      hook: HOOK_NAMES[hook],
      table: state.table.name,
      chain,
      rule,
      target: verdict.replace(/^(jump|goto) /, ""),
      verdict,
      text: matched.text,
      in: indev?.name ?? null,
      out: outdev?.name ?? null,
    });
}
