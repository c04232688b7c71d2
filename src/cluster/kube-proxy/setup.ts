/**
 * What kube-proxy sets up on a node outside its restore: the chains it jumps from, the canaries by which it
 * notices that someone flushed the tables, nfacct objects and sysctls.
 */
import { comment } from "./chains/text.ts";
import {
  KUBE_EXTERNAL_SERVICES,
  KUBE_FIREWALL,
  KUBE_FORWARD,
  KUBE_NODEPORTS,
  KUBE_POSTROUTING,
  KUBE_PROXY_FIREWALL,
  KUBE_SERVICES,
} from "./chains/top-level.ts";
import type { KubeProxyConfiguration } from "./configuration.ts";
import type { Proxier } from "./proxier.ts";

export type Table = "mangle" | "nat" | "filter";

/** A jump out of a built-in chain. */
export interface Jump {
  readonly table: Table;
  readonly from: string;
  readonly to: string;
  /** The rule as `iptables-save` prints it, without `-A` and the chain. */
  readonly rule: string;
}

const NEW = "-m conntrack --ctstate NEW ";

function jump(table: Table, to: string, from: string, why: string, match = ""): Jump {
  return { table, from, to, rule: `${match}${why === "" ? "" : `${comment(why)} `}-j ${to}` };
}

/**
 * The jumps in the order in which kube-proxy ensures them. Each is put at the head of its chain unless the chain
 * holds it already, so the last one ensured stands first. The jumps to KUBE-FIREWALL are kubelet's too.
 */
export const JUMPS: readonly Jump[] = [
  jump("filter", KUBE_EXTERNAL_SERVICES, "INPUT", "kubernetes externally-visible service portals", NEW),
  jump("filter", KUBE_EXTERNAL_SERVICES, "FORWARD", "kubernetes externally-visible service portals", NEW),
  jump("filter", KUBE_NODEPORTS, "INPUT", "kubernetes health check service ports"),
  jump("filter", KUBE_SERVICES, "FORWARD", "kubernetes service portals", NEW),
  jump("filter", KUBE_SERVICES, "OUTPUT", "kubernetes service portals", NEW),
  jump("filter", KUBE_FORWARD, "FORWARD", "kubernetes forwarding rules"),
  jump("filter", KUBE_PROXY_FIREWALL, "INPUT", "kubernetes load balancer firewall", NEW),
  jump("filter", KUBE_PROXY_FIREWALL, "OUTPUT", "kubernetes load balancer firewall", NEW),
  jump("filter", KUBE_PROXY_FIREWALL, "FORWARD", "kubernetes load balancer firewall", NEW),
  jump("nat", KUBE_SERVICES, "OUTPUT", "kubernetes service portals"),
  jump("nat", KUBE_SERVICES, "PREROUTING", "kubernetes service portals"),
  jump("nat", KUBE_POSTROUTING, "POSTROUTING", "kubernetes postrouting rules"),
  jump("filter", KUBE_FIREWALL, "INPUT", ""),
  jump("filter", KUBE_FIREWALL, "OUTPUT", ""),
];

/** Empty chain in each of {@link CANARY_TABLES}. */
export const KUBE_PROXY_CANARY = "KUBE-PROXY-CANARY";
export const CANARY_TABLES: readonly Table[] = ["mangle", "nat", "filter"];

/**
 * The rules of a built-in chain after kube-proxy ensured its jumps.
 *
 * @param rules the chain's rules before, as `iptables-save` prints them without `-A` and the chain.
 */
export function ensureJumps(
  rules: readonly string[],
  table: Table,
  chain: string,
  jumps: readonly Jump[] = JUMPS,
): readonly string[] {
  let ensured = rules;
  for (const one of jumps) {
    if (one.table === table && one.from === chain && !ensured.includes(one.rule))
      ensured = [one.rule, ...ensured];
  }
  return ensured;
}

const SECONDS: Readonly<Record<string, number>> = {
  h: 3600,
  m: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  ns: 1e-9,
};

/** Whole seconds of a Go duration (`24h0m0s`, `1.5h`, `0`); 0 for what is none. */
export function durationSeconds(text: string): number {
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/([0-9.]+)(h|ms|us|µs|ns|m|s)/g)) {
    seconds += Number(count) * (SECONDS[unit ?? ""] ?? 0);
  }
  return Math.floor(seconds);
}

/**
 * The sysctls kube-proxy writes, by dotted name (cmd/kube-proxy/app/server_linux.go: setupConntrack, and
 * NewProxier). A duration of 0 and a `maxPerCore` of 0 leave the kernel's value alone.
 *
 * @param cores CPUs of the node, which `conntrack.maxPerCore` is for.
 */
export function kubeProxySysctls(
  config: KubeProxyConfiguration,
  proxier: Proxier,
  cores: number,
): Readonly<Record<string, number>> {
  const { conntrack } = config;
  const max = conntrack.maxPerCore > 0 ? Math.max(conntrack.maxPerCore * cores, conntrack.min) : 0;
  const wanted: Record<string, number> = {
    "net.netfilter.nf_conntrack_max": max,
    "net.netfilter.nf_conntrack_tcp_timeout_established": durationSeconds(conntrack.tcpEstablishedTimeout),
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait": durationSeconds(conntrack.tcpCloseWaitTimeout),
    "net.netfilter.nf_conntrack_tcp_be_liberal": conntrack.tcpBeLiberal ? 1 : 0,
    "net.netfilter.nf_conntrack_udp_timeout": durationSeconds(conntrack.udpTimeout),
    "net.netfilter.nf_conntrack_udp_timeout_stream": durationSeconds(conntrack.udpStreamTimeout),
    "net.ipv4.conf.all.route_localnet": proxier.localhostNodePorts ? 1 : 0,
  };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value > 0));
}
