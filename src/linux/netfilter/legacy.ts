/**
 * iptables-legacy beside iptables-nft: a second set of tables on the same hooks, which the tools of the one do not
 * show the users of the other. A packet must please both. Of two that would translate, the one that came last is asked
 * first and decides (net/netfilter/core.c: nf_hook_entries_grow puts a newcomer before those of its priority).
 */
import type { NetDevice } from "../device/device.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import type { HookState } from "./context.ts";
import type { HookOps } from "./hook-ops.ts";
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
  type Verdict,
} from "./hooks.ts";
import { manipAt } from "./nat/hook.ts";
import { applyNatTarget } from "./nat/targets.ts";
import { sendReject } from "./reject.ts";
import { ruleHost } from "./rule-host.ts";
import { applyRestore } from "./rules/restore.ts";
import { RuleSetState, type TableState } from "./rules/state.ts";
import { WALK_DROP, WALK_NAT, WALK_REJECT } from "./rules/verdict.ts";
import { type OnRule, walkTable } from "./rules/walk.ts";

/** Hooks and priorities of the tables (include/uapi/linux/netfilter_ipv4.h: nf_ip_hook_priorities). */
const PLACES: Readonly<Record<string, readonly (readonly [Hook, number])[]>> = {
  raw: [
    [NF_INET_PRE_ROUTING, -300],
    [NF_INET_LOCAL_OUT, -300],
  ],
  mangle: ([0, 1, 2, 3, 4] as const).map((hook) => [hook, -150] as const),
  nat: [
    [NF_INET_PRE_ROUTING, -100],
    [NF_INET_LOCAL_OUT, -100],
    [NF_INET_LOCAL_IN, 100],
    [NF_INET_POST_ROUTING, 100],
  ],
  filter: [
    [NF_INET_LOCAL_IN, 0],
    [NF_INET_FORWARD, 0],
    [NF_INET_LOCAL_OUT, 0],
  ],
  security: [
    [NF_INET_LOCAL_IN, 50],
    [NF_INET_FORWARD, 50],
    [NF_INET_LOCAL_OUT, 50],
  ],
};

/**
 * `iptables-legacy-restore` in a namespace whose own tables are nf_tables': events call its tables `legacy filter` and
 * so on. Throws RuleSetError with the line of what is wrong or cannot be judged.
 */
export function loadLegacy(netns: Netns, text: string): void {
  const state = new RuleSetState();
  state.load(applyRestore(null, text, { noflush: false }));
  const host = ruleHost(netns);
  const at: HookState = { hook: 0, in: null, out: null };
  const ops = Object.entries(PLACES).flatMap(([name, places]): HookOps[] => {
    const table = state.table(name);
    if (table === null) return [];
    return places.map(([hook, priority]) => ({
      hook,
      priority,
      translates: name === "nat",
      run(skb, now, indev, outdev) {
        at.hook = now;
        at.in = indev;
        at.out = outdev;
        const onRule = reporter(netns, name, skb, now, indev, outdev);
        const verdict = walkTable(state, table, at, skb, host, onRule);
        return carryOut(netns, state, table, verdict, skb, now, indev, outdev);
      },
    }));
  });
  netns.netfilter.register(ops);
}

function carryOut(
  netns: Netns,
  state: RuleSetState,
  { table: { name } }: TableState,
  verdict: ReturnType<typeof walkTable>,
  skb: Skb,
  hook: Hook,
  indev: NetDevice | null,
  outdev: NetDevice | null,
): Verdict {
  const { decidedChain, decidedRule, rulesWalked } = state;
  const table = `legacy ${name}`;
  netns.network.recorder?.record({
    type: "table",
    timeUs: netns.clock.nowUs,
    netns: netns.name,
    serial: skb.serial,
    hook: HOOK_NAMES[hook],
    table,
    rulesWalked,
  });
  const drop = (detail: string | null): Verdict => {
    const place = { hook, table, rule: decidedRule };
    const chained = decidedChain === null ? place : { ...place, chain: decidedChain.name };
    netns.drop(skb, "NETFILTER_DROP", "nf_hook_slow", chained, detail);
    return NF_DROP;
  };
  switch (verdict) {
    case WALK_DROP:
      return drop(null);
    case WALK_REJECT:
      sendReject(netns, skb, state.reject!);
      return drop("REJECT");
    case WALK_NAT: {
      const target = state.natTarget!;
      const connections = netns.netfilter.conntrack;
      if (connections === null) return NF_ACCEPT;
      const applied = applyNatTarget(netns, connections, skb, target, hook, manipAt(hook), indev, outdev);
      return applied === NF_ACCEPT ? applied : drop(`${target.type} found no address`);
    }
    default:
      return NF_ACCEPT;
  }
}

/** Only while somebody watches. */
function reporter(
  netns: Netns,
  table: string,
  skb: Skb,
  hook: Hook,
  indev: NetDevice | null,
  outdev: NetDevice | null,
): OnRule | null {
  const { recorder } = netns.network;
  if (recorder === null) return null;
  return (chain, rule, matched, verdict) =>
    recorder.record({
      type: "rule",
      timeUs: netns.clock.nowUs,
      netns: netns.name,
      serial: skb.serial,
      hook: HOOK_NAMES[hook],
      table: `legacy ${table}`,
      chain: chain.name,
      rule,
      target: matched?.target.name ?? chain.policy ?? "",
      verdict,
      text: matched?.text ?? null,
      in: indev?.name ?? null,
      out: outdev?.name ?? null,
    });
}
