import { comment } from "../chains/text.ts";
import type { Proxier } from "../proxier.ts";
import type { Jump } from "../setup.ts";
import {
  CLUSTER_IP,
  EXTERNAL_IP,
  EXTERNAL_IP_LOCAL,
  HEALTH_CHECK_NODE_PORT,
  IPVS_IPS,
  type IpsetEntries,
  KUBE_IPSETS,
  LOAD_BALANCER,
  LOAD_BALANCER_FW,
  LOAD_BALANCER_LOCAL,
  LOAD_BALANCER_SOURCE_CIDR,
  LOAD_BALANCER_SOURCE_IP,
  LOOP_BACK,
  NODE_PORT_LOCAL_SCTP,
  NODE_PORT_LOCAL_TCP,
  NODE_PORT_LOCAL_UDP,
  NODE_PORT_SCTP,
  NODE_PORT_TCP,
  NODE_PORT_UDP,
} from "./ipsets.ts";

const NAT_CHAINS = [
  "KUBE-SERVICES",
  "KUBE-POSTROUTING",
  "KUBE-NODE-PORT",
  "KUBE-LOAD-BALANCER",
  "KUBE-MARK-MASQ",
];
const FILTER_CHAINS = [
  "KUBE-FORWARD",
  "KUBE-NODE-PORT",
  "KUBE-PROXY-FIREWALL",
  "KUBE-SOURCE-RANGES-FIREWALL",
  "KUBE-IPVS-FILTER",
  "KUBE-IPVS-OUT-FILTER",
];

const jump = (table: "nat" | "filter", from: string, to: string, why: string): Jump => ({
  table,
  from,
  to,
  rule: `${comment(why)} -j ${to}`,
});

/** The jumps in the order in which kube-proxy ensures them, each at the head of its chain (iptablesJumpChain). */
export const IPVS_JUMPS: readonly Jump[] = [
  jump("nat", "OUTPUT", "KUBE-SERVICES", "kubernetes service portals"),
  jump("nat", "PREROUTING", "KUBE-SERVICES", "kubernetes service portals"),
  jump("nat", "POSTROUTING", "KUBE-POSTROUTING", "kubernetes postrouting rules"),
  jump("filter", "FORWARD", "KUBE-FORWARD", "kubernetes forwarding rules"),
  jump("filter", "INPUT", "KUBE-NODE-PORT", "kubernetes health check rules"),
  jump("filter", "INPUT", "KUBE-PROXY-FIREWALL", "kube-proxy firewall rules"),
  jump("filter", "FORWARD", "KUBE-PROXY-FIREWALL", "kube-proxy firewall rules"),
  jump("filter", "INPUT", "KUBE-IPVS-FILTER", "kubernetes ipvs access filter"),
  jump("filter", "OUTPUT", "KUBE-IPVS-OUT-FILTER", "kubernetes ipvs access filter"),
];

/** Where a packet goes that a set holds (ipsetWithIptablesChain), in kube-proxy's order. */
const BY_SET = [
  ["nat", LOOP_BACK, "KUBE-POSTROUTING", "", "dst,dst,src", "MASQUERADE"],
  ["nat", LOAD_BALANCER, "KUBE-SERVICES", "", "dst,dst", "KUBE-LOAD-BALANCER"],
  ["nat", LOAD_BALANCER_LOCAL, "KUBE-LOAD-BALANCER", "", "dst,dst", "RETURN"],
  ["nat", NODE_PORT_LOCAL_TCP, "KUBE-NODE-PORT", "-p tcp ", "dst", "RETURN"],
  ["nat", NODE_PORT_TCP, "KUBE-NODE-PORT", "-p tcp ", "dst", "KUBE-MARK-MASQ"],
  ["nat", NODE_PORT_LOCAL_UDP, "KUBE-NODE-PORT", "-p udp ", "dst", "RETURN"],
  ["nat", NODE_PORT_UDP, "KUBE-NODE-PORT", "-p udp ", "dst", "KUBE-MARK-MASQ"],
  ["nat", NODE_PORT_LOCAL_SCTP, "KUBE-NODE-PORT", "-p sctp ", "dst,dst", "RETURN"],
  ["nat", NODE_PORT_SCTP, "KUBE-NODE-PORT", "-p sctp ", "dst,dst", "KUBE-MARK-MASQ"],
  ["filter", LOAD_BALANCER_FW, "KUBE-PROXY-FIREWALL", "", "dst,dst", "KUBE-SOURCE-RANGES-FIREWALL"],
  ["filter", LOAD_BALANCER_SOURCE_CIDR, "KUBE-SOURCE-RANGES-FIREWALL", "", "dst,dst,src", "RETURN"],
  ["filter", LOAD_BALANCER_SOURCE_IP, "KUBE-SOURCE-RANGES-FIREWALL", "", "dst,dst,src", "RETURN"],
] as const;

const why = (name: string): string => comment(KUBE_IPSETS.get(name)!.comment);
const inSet = (name: string, directions: string): string => `-m set --match-set ${name} ${directions}`;

/** A load-balancer address that the node itself must not reach: its source ranges leave the node out. */
export interface RefusedFromNode {
  readonly address: string;
  readonly protocol: string;
  readonly port: number;
}

/**
 * What kube-proxy in ipvs mode hands to `iptables-restore --noflush --counters` (pkg/proxy/ipvs/proxier.go:
 * writeIptablesRules): nat first, and as many rules as there are sets, however many Services.
 */
export function ipvsRestore(
  entries: IpsetEntries,
  proxier: Proxier,
  refused: readonly RefusedFromNode[],
): string {
  const has = (name: string): boolean => (entries.get(name)?.length ?? 0) > 0;
  const bySet = (table: string): string[] =>
    BY_SET.filter(([its, name]) => its === table && has(name)).map(
      ([, name, from, protocol, directions, to]) =>
        `-A ${from} ${protocol}${why(name)} ${inSet(name, directions)} -j ${to}`,
    );
  return [
    "*nat",
    ...NAT_CHAINS.map((chain) => `:${chain} - [0:0]`),
    "-A KUBE-SERVICES -s 127.0.0.0/8 -j RETURN",
    ...bySet("nat"),
    ...serviceRules(has, proxier),
    ...masqueradeRules(proxier),
    "COMMIT",
    "*filter",
    ...FILTER_CHAINS.map((chain) => `:${chain} - [0:0]`),
    ...bySet("filter"),
    ...filterRules(proxier, refused),
    "COMMIT",
    "",
  ].join("\n");
}

function serviceRules(has: (name: string) => boolean, proxier: Proxier): string[] {
  const rules: string[] = [];
  const head = (name: string): string => `-A KUBE-SERVICES ${why(name)}`;
  if (has(CLUSTER_IP)) {
    const { localDetector, masqueradeAll } = proxier;
    const directions = masqueradeAll || localDetector !== undefined ? "dst,dst" : "src,dst";
    const notLocal = masqueradeAll || localDetector === undefined ? "" : ` ${localDetector.ifNotLocal}`;
    rules.push(`${head(CLUSTER_IP)} ${inSet(CLUSTER_IP, directions)}${notLocal} -j KUBE-MARK-MASQ`);
  }
  const external = (name: string): void => {
    const start = `${head(name)} ${inSet(name, "dst,dst")}`;
    rules.push(
      `${start} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ACCEPT`,
      `${start} -m addrtype --dst-type LOCAL -j ACCEPT`,
    );
  };
  if (has(EXTERNAL_IP)) {
    rules.push(`${head(EXTERNAL_IP)} ${inSet(EXTERNAL_IP, "dst,dst")} -j KUBE-MARK-MASQ`);
    external(EXTERNAL_IP);
  }
  if (has(EXTERNAL_IP_LOCAL)) external(EXTERNAL_IP_LOCAL);
  rules.push(
    "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT",
    "-A KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ",
  );
  // acceptIPVSTraffic: other rules must not judge what IPVS takes; these are the chain's last
  for (const name of [CLUSTER_IP, LOAD_BALANCER])
    if (has(name)) rules.push(`-A KUBE-SERVICES ${inSet(name, "dst,dst")} -j ACCEPT`);
  return rules;
}

function masqueradeRules({ masqueradeMark: mark, randomFully }: Proxier): string[] {
  return [
    `-A KUBE-POSTROUTING -m mark ! --mark ${mark}/${mark} -j RETURN`,
    `-A KUBE-POSTROUTING -j MARK --xor-mark ${mark}`,
    `-A KUBE-POSTROUTING ${comment("kubernetes service traffic requiring SNAT")} -j MASQUERADE${randomFully ? " --random-fully" : ""}`,
    `-A KUBE-MARK-MASQ -j MARK --or-mark ${mark}`,
  ];
}

function filterRules({ masqueradeMark: mark }: Proxier, refused: readonly RefusedFromNode[]): string[] {
  const through = (name: string, directions: string): string =>
    `-A KUBE-IPVS-FILTER ${inSet(name, directions)} -j RETURN`;
  return [
    "-A KUBE-SOURCE-RANGES-FIREWALL -j DROP",
    ...refused.map(
      ({ address, protocol, port }) =>
        `-A KUBE-IPVS-OUT-FILTER -s ${address} -m ipvs --vaddr ${address} --vproto ${protocol} --vport ${port} -j DROP`,
    ),
    `-A KUBE-FORWARD ${comment("kubernetes forwarding rules")} -m mark --mark ${mark}/${mark} -j ACCEPT`,
    `-A KUBE-FORWARD ${comment("kubernetes forwarding conntrack rule")} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-A KUBE-NODE-PORT ${why(HEALTH_CHECK_NODE_PORT)} ${inSet(HEALTH_CHECK_NODE_PORT, "dst")} -j ACCEPT`,
    through(LOAD_BALANCER, "dst,dst"),
    through(CLUSTER_IP, "dst,dst"),
    through(EXTERNAL_IP, "dst,dst"),
    through(EXTERNAL_IP_LOCAL, "dst,dst"),
    through(HEALTH_CHECK_NODE_PORT, "dst"),
    `-A KUBE-IPVS-FILTER -m conntrack --ctstate NEW ${inSet(IPVS_IPS, "dst")} -j REJECT`,
  ];
}
