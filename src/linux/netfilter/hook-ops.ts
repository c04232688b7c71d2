import type { NetDevice } from "../device/device.ts";
import type { Skb } from "../skb.ts";
import type { Hook, Verdict } from "./hooks.ts";

/** One who sits on a hook. Anything but NF_ACCEPT: the packet has ended or was taken over, and this has been said. */
export type HookFunction = (
  skb: Skb,
  hook: Hook,
  indev: NetDevice | null,
  outdev: NetDevice | null,
) => Verdict;

/** `struct nf_hook_ops`: a place on a hook for somebody who is not iptables (nftables, IPVS). */
export interface HookOps {
  readonly hook: Hook;
  /** Ascending, as in hooks.ts. */
  readonly priority: number;
  /**
   * It decides translations, as a chain of type nat: it is asked for the first packet of a connection, before iptables'
   * nat table, which came first and so stands later (net/netfilter/core.c: nf_hook_entries_grow).
   */
  readonly translates: boolean;
  readonly run: HookFunction;
}
