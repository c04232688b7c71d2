import { comment } from "../chains/text.ts";
import { KUBE_POSTROUTING, KUBE_SERVICES } from "../chains/top-level.ts";
import type { Jump } from "../setup.ts";

function portals(table: Jump["table"], from: string): Jump {
  return {
    table,
    from,
    to: KUBE_SERVICES,
    rule: `${comment("kubernetes service portals")} -j ${KUBE_SERVICES}`,
  };
}

/**
 * The jumps of kube-proxy 1.7 in the order in which it ensures them, each at the head of its chain (use
 * `ensureJumps`). There is none in FORWARD, nor a canary: KUBE-FORWARD came with 1.9, the others later still.
 */
export const JUMPS: readonly Jump[] = [
  portals("filter", "INPUT"),
  portals("filter", "OUTPUT"),
  portals("nat", "OUTPUT"),
  portals("nat", "PREROUTING"),
  {
    table: "nat",
    from: "POSTROUTING",
    to: KUBE_POSTROUTING,
    rule: `${comment("kubernetes postrouting rules")} -j ${KUBE_POSTROUTING}`,
  },
];

/** The sysctl 1.7 sets whatever its configuration. */
export const SYSCTLS: Readonly<Record<string, number>> = { "net.ipv4.conf.all.route_localnet": 1 };
