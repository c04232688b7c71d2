/**
 * The five hooks of IPv4 and who sits on them, in the order of their priorities
 * (include/uapi/linux/netfilter_ipv4.h: enum nf_ip_hook_priorities):
 *
 *              ┌─ routing ─▶ FORWARD ─────────────┐
 *   PREROUTING ┤                                  ├─▶ POSTROUTING
 *              └─▶ INPUT ─▶ socket ─▶ OUTPUT ─────┘
 *
 *   -400 defrag   -300 raw   -200 conntrack   -150 mangle   -100 nat (DNAT)   0 filter   50 security
 *   100 nat (SNAT)   last: conntrack confirm
 */
export const NF_INET_PRE_ROUTING = 0;
export const NF_INET_LOCAL_IN = 1;
export const NF_INET_FORWARD = 2;
export const NF_INET_LOCAL_OUT = 3;
export const NF_INET_POST_ROUTING = 4;

export type Hook = 0 | 1 | 2 | 3 | 4;

/** iptables' names of the hooks, which are also the names of the built-in chains. */
export const HOOK_NAMES = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"] as const;
export type HookName = (typeof HOOK_NAMES)[number];

export const NF_DROP = 0;
export const NF_ACCEPT = 1;
/** The hook has taken the packet over: it goes on from there, or waits (a fragment). */
export const NF_STOLEN = 2;
export type Verdict = 0 | 1 | 2;
