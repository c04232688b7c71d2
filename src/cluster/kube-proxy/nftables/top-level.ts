import type { NftProxier } from "./proxier.ts";

/**
 * Everything in kube-proxy's table that no Service port brings (pkg/proxy/nftables/proxier.go, 1.32: setupNFTables).
 *
 *   prerouting  -110 filter-prerouting ─▶ firewall-check          -100 nat-prerouting ─▶ services
 *   input       -110 filter-input ─▶ nodeport-endpoints-check, service-endpoints-check
 *   forward     -110 filter-forward ─▶ service-endpoints-check, cluster-ips-check
 *   output      -110 filter-output ─▶ service-endpoints-check, firewall-check
 *               -100 nat-output ─▶ services    -90 filter-output-post-dnat ─▶ cluster-ips-check
 *   postrouting  100 nat-postrouting ─▶ masquerading
 */
const TABLE = "kube-proxy";

/** Heads of commands: `add rule ip kube-proxy`. */
export const command = (verb: "add" | "flush" | "delete", object: string): string =>
  `${verb} ${object} ip ${TABLE}`;

const BASE_CHAINS = [
  ["filter-prerouting", "filter", "prerouting", -110],
  ["filter-input", "filter", "input", -110],
  ["filter-forward", "filter", "forward", -110],
  ["filter-output", "filter", "output", -110],
  ["filter-output-post-dnat", "filter", "output", -90],
  ["nat-prerouting", "nat", "prerouting", -100],
  ["nat-output", "nat", "output", -100],
  ["nat-postrouting", "nat", "postrouting", 100],
] as const;

const JUMPS = [
  ["nodeport-endpoints-check", "filter-input", "ct state new "],
  ["service-endpoints-check", "filter-input", "ct state new "],
  ["service-endpoints-check", "filter-forward", "ct state new "],
  ["service-endpoints-check", "filter-output", "ct state new "],
  ["firewall-check", "filter-prerouting", "ct state new "],
  ["firewall-check", "filter-output", "ct state new "],
  ["services", "nat-output", ""],
  ["services", "nat-prerouting", ""],
  ["masquerading", "nat-postrouting", ""],
  ["cluster-ips-check", "filter-forward", "ct state new "],
  ["cluster-ips-check", "filter-output-post-dnat", "ct state new "],
] as const;

/** Names of the maps and sets that Service ports put elements into. */
export const CONTAINERS = {
  clusterIPs: { kind: "set", name: "cluster-ips" },
  serviceIPs: { kind: "map", name: "service-ips" },
  firewallIPs: { kind: "map", name: "firewall-ips" },
  noEndpointServices: { kind: "map", name: "no-endpoint-services" },
  noEndpointNodePorts: { kind: "map", name: "no-endpoint-nodeports" },
  serviceNodePorts: { kind: "map", name: "service-nodeports" },
} as const;
export type ContainerName = keyof typeof CONTAINERS;

const BY_ADDRESS = "ipv4_addr . inet_proto . inet_service : verdict";
const BY_PORT = "inet_proto . inet_service : verdict";
const LOOKUP_ADDRESS = "ip daddr . meta l4proto . th dport vmap";
const LOOKUP_PORT = "meta l4proto . th dport vmap";

const rule = (chain: string, text: string, comment?: string): string =>
  `${command("add", "rule")} ${chain} ${text}${comment === undefined ? "" : ` comment "${comment}"`}`;
const map = (name: string, type: string, comment: string): string =>
  `${command("add", "map")} ${name} { type ${type} ; comment "${comment}" ; }`;
const set = (name: string, comment: string): string =>
  `${command("add", "set")} ${name} { type ipv4_addr ; comment "${comment}" ; }`;
const chain = (name: string): string[] => [
  `${command("add", "chain")} ${name}`,
  `${command("flush", "chain")} ${name}`,
];

/** The commands of the table's frame, at a full sync. */
export function setupCommands(proxier: NftProxier): string[] {
  const made = new Set<string>();
  const ensure = (name: string): string[] => {
    if (made.has(name)) return [];
    made.add(name);
    return chain(name);
  };
  return [
    `${command("add", "table")} { comment "rules for kube-proxy" ; }`,
    ...BASE_CHAINS.flatMap(([name]) => [
      `${command("add", "chain")} ${name}`,
      `${command("delete", "chain")} ${name}`,
    ]),
    ...BASE_CHAINS.flatMap(([name, type, hook, priority]) => [
      `${command("add", "chain")} ${name} { type ${type} hook ${hook} priority ${priority} ; }`,
      `${command("flush", "chain")} ${name}`,
    ]),
    ...JUMPS.flatMap(([to, from, match]) => [...ensure(to), rule(from, `${match}jump ${to}`)]),
    ...ensure("mark-for-masquerade"),
    ...masqueradeRules(proxier.masqueradeMark),
    ...containerCommands(proxier),
    ...dispatchRules(proxier),
    ...Object.values(CONTAINERS).map(({ kind, name }) => `${command("flush", kind)} ${name}`),
  ];
}

function masqueradeRules(mark: string): string[] {
  return [
    rule("mark-for-masquerade", `mark set mark or ${mark}`),
    rule("masquerading", `mark and ${mark} == 0 return`),
    rule("masquerading", `mark set mark xor ${mark}`),
    rule("masquerading", "masquerade fully-random"),
  ];
}

/** The commands that put a node's own addresses in. */
export const nodePortIPCommands = ({ nodePortIPs }: Pick<NftProxier, "nodePortIPs">): string[] =>
  nodePortIPs === null
    ? []
    : [
        `${command("flush", "set")} nodeport-ips`,
        ...nodePortIPs.map((ip) => `${command("add", "element")} nodeport-ips { ${ip} }`),
      ];

function containerCommands({ nodePortIPs }: NftProxier): string[] {
  return [
    set("cluster-ips", "Active ClusterIPs"),
    rule(
      "cluster-ips-check",
      "ip daddr @cluster-ips reject",
      "Reject traffic to invalid ports of ClusterIPs",
    ),
    set("nodeport-ips", "IPs that accept NodePort traffic"),
    ...(nodePortIPs === null
      ? [`${command("delete", "set")} nodeport-ips`]
      : nodePortIPCommands({ nodePortIPs })),
    map("no-endpoint-services", BY_ADDRESS, "vmap to drop or reject packets to services with no endpoints"),
    map(
      "no-endpoint-nodeports",
      BY_PORT,
      "vmap to drop or reject packets to service nodeports with no endpoints",
    ),
    `${command("add", "chain")} reject-chain { comment "helper for @no-endpoint-services / @no-endpoint-nodeports" ; }`,
    `${command("flush", "chain")} reject-chain`,
    rule("reject-chain", "reject"),
  ];
}

function dispatchRules({ nodePortIPs }: NftProxier): string[] {
  const toNodePorts = nodePortIPs === null ? "ip daddr != 127.0.0.0/8" : "ip daddr @nodeport-ips";
  const local = nodePortIPs === null ? "fib daddr type local " : "";
  return [
    rule("service-endpoints-check", `${LOOKUP_ADDRESS} @no-endpoint-services`),
    rule("nodeport-endpoints-check", `${toNodePorts} ${LOOKUP_PORT} @no-endpoint-nodeports`),
    map("firewall-ips", BY_ADDRESS, "destinations that are subject to LoadBalancerSourceRanges"),
    rule("firewall-check", `${LOOKUP_ADDRESS} @firewall-ips`),
    map("service-ips", BY_ADDRESS, "ClusterIP, ExternalIP and LoadBalancer IP traffic"),
    map("service-nodeports", BY_PORT, "NodePort traffic"),
    rule("services", `${LOOKUP_ADDRESS} @service-ips`),
    rule("services", `${local}${toNodePorts} ${LOOKUP_PORT} @service-nodeports`),
  ];
}
