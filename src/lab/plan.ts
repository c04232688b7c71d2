import type { SimulatedCluster } from "../cluster/build/cluster.ts";
import { type Lease, othersLeases } from "../cluster/flannel/lease.ts";
import type { FlannelUdp } from "../cluster/flannel/udp/backend.ts";
import type { Bridge } from "../linux/device/bridge.ts";
import type { NetDevice } from "../linux/device/device.ts";
import { Nic } from "../linux/device/segment.ts";
import { Veth } from "../linux/device/veth.ts";
import { Vxlan } from "../linux/device/vxlan.ts";
import { ROUTE_TYPE_NAMES, RT_TABLE_LOCAL, RT_TABLE_MAIN } from "../linux/ip/route.ts";
import type { Netns } from "../linux/netns.ts";
import { formatIpv4, formatMac } from "../packet/address.ts";
import { LabError } from "./error.ts";
import { kernelNetnsName, labPrefix, segmentNetns } from "./name.ts";
import type { IptablesVariant } from "./requirements.ts";
import { deviceSettings, type Setting, settings } from "./settings.ts";

/** A server process of a namespace. */
export interface ListenPlan {
  readonly protocol: "tcp" | "udp";
  /** `0.0.0.0` is all. */
  readonly address: string;
  readonly port: number;
  readonly owner: string | null;
  /** Bytes of an answer. */
  readonly bytes: number;
}

/** flannel's udp proxy of a node. */
export interface TunPlan {
  readonly name: string;
  readonly mtu: number;
  readonly tunAddress: string;
  /** The node's own, which the socket is bound to. */
  readonly address: string;
  readonly port: number;
  /** Subnet, its prefix length, next hop. */
  readonly leases: readonly (readonly [string, number, string])[];
}

/**
 * What is done in one namespace, phase by phase; each phase is done everywhere before the next begins. `machine`,
 * `wires`, `links` and `config` are lines of `ip -batch`, `fdb` of `bridge -batch`.
 */
export interface NetnsPlan {
  readonly name: string;
  /** The kernel's name of it. */
  readonly real: string;
  readonly sysctl: readonly Setting[];
  /** NICs, bridges and tunnels, in the order of the simulation. */
  readonly machine: readonly string[];
  readonly tuns: readonly TunPlan[];
  /** Veth pairs. */
  readonly wires: readonly string[];
  readonly deviceSysctl: readonly Setting[];
  /** Bridge ports and their flags. */
  readonly links: readonly string[];
  readonly fdb: readonly string[];
  /** Addresses, links up, neighbours, routes. */
  readonly config: readonly string[];
  readonly accounts: readonly string[];
  /** For iptables-restore; empty: the namespace has no rules. */
  readonly rules: string;
  /** Do captures listen here? Not on the wire itself: the simulation has no devices there. */
  readonly capture: boolean;
  readonly listen: readonly ListenPlan[];
  /** Bridges here. */
  readonly bridges: readonly string[];
}

/** A cluster in real namespaces, as commands. */
export interface LabPlan {
  readonly prefix: string;
  readonly iptables: string;
  readonly namespaces: readonly NetnsPlan[];
}

/** Listeners of protocols that the lab's servers do not speak are left out. */
const SERVED = ["tcp", "udp"] as const;

/**
 * The commands that make the kernel's namespaces equal to the simulated ones. Only what people and programs configured
 * is told; what the kernel adds by itself (routes of addresses, learned MACs) it is left to add, so that a difference
 * there shows.
 *
 * @throws LabError for a cluster whose Services are not routed by iptables.
 */
export function labPlan(cluster: SimulatedCluster, lab: string, iptables: IptablesVariant): LabPlan {
  const { mode } = cluster.model.kubeProxy.configuration;
  if (mode !== "iptables") throw new LabError(`the lab builds kube-proxy's mode iptables, not ${mode}`);
  const wired = new Set<NetDevice>();
  const real = (netns: string): string => kernelNetnsName(lab, netns);
  const tuns = tunPlans(cluster);
  const segments = [...cluster.network.segments.values()];
  const machines = [...cluster.network.namespaces.values()].map((netns) =>
    netnsPlan(netns, real, wired, tuns.get(netns) ?? [], cluster.nodes.has(netns.name)),
  );
  return {
    prefix: labPrefix(lab),
    iptables: `iptables-${iptables}`,
    namespaces: [
      ...segments.map((segment) => segmentPlan(segment.name, segment.nics, real(segmentNetns(segment.name)))),
      ...machines,
    ],
  };
}

/** flannel's udp proxies, by namespace. */
function tunPlans({ nodes, model }: SimulatedCluster): Map<Netns, TunPlan[]> {
  const { backend } = model.flannel;
  if (backend.type !== "udp") return new Map();
  const leases = [...nodes.values()]
    .filter((node) => node.model.flannel?.lease !== false)
    .map(({ lease }) => lease);
  return new Map(
    [...nodes.values()].flatMap(({ netns, flannel, lease, model: { internalIP } }) =>
      flannel.type === "udp"
        ? [[netns, [tunPlan(flannel, internalIP, lease, backend.port, othersLeases(lease, leases))]] as const]
        : [],
    ),
  );
}

const tunPlan = (
  { tun }: FlannelUdp,
  address: string,
  own: Lease,
  port: number,
  others: readonly Lease[],
): TunPlan => ({
  name: tun.name,
  mtu: tun.mtu,
  tunAddress: formatIpv4(own.subnet),
  address,
  port,
  leases: others.map(({ subnet, prefixLength, publicIP }) => [
    formatIpv4(subnet),
    prefixLength,
    formatIpv4(publicIP),
  ]),
});

/** The wire: a bridge that knows every NIC and learns nothing. */
function segmentPlan(name: string, nics: readonly Nic[], real: string): NetnsPlan {
  const port = (i: number): string => `p${i}`;
  return {
    name: segmentNetns(name),
    real,
    sysctl: [
      ["net.ipv6.conf.all.disable_ipv6", 1],
      ["net.ipv6.conf.default.disable_ipv6", 1],
      ["net.bridge.bridge-nf-call-iptables", 0],
    ],
    machine: ["link add wire type bridge stp_state 0 forward_delay 0 mcast_snooping 0"],
    tuns: [],
    wires: [],
    deviceSysctl: [],
    links: nics.flatMap((_, i) => [
      `link set ${port(i)} master wire`,
      `link set ${port(i)} type bridge_slave learning off`,
    ]),
    fdb: nics.map(({ mac }, i) => `fdb replace ${formatMac(mac)} dev ${port(i)} master static`),
    config: ["link set lo up", ...nics.map((_, i) => `link set ${port(i)} up`), "link set wire up"],
    accounts: [],
    rules: "",
    capture: false,
    listen: [],
    bridges: ["wire"],
  };
}

function netnsPlan(
  netns: Netns,
  real: (netns: string) => string,
  wired: Set<NetDevice>,
  tuns: readonly TunPlan[],
  isNode: boolean,
): NetnsPlan {
  netns.fib.complete();
  const devices = [...netns.devices.values()];
  const rules = netns.netfilter.ruleSet.tables.length === 0 ? "" : netns.netfilter.save();
  return {
    name: netns.name,
    real: real(netns.name),
    sysctl: settings(netns.sysctl),
    machine: devices.flatMap((dev) => machineLine(dev, real)),
    tuns,
    wires: devices.flatMap((dev) => (dev instanceof Veth ? vethLine(dev, real, wired) : [])),
    deviceSysctl: devices.flatMap((dev) => deviceSettings(dev.name, dev.conf, netns.sysctl.default)),
    links: devices.filter(isBridge).flatMap(portLines),
    fdb: devices.filter((dev) => dev instanceof Vxlan).flatMap(vxlanFdbLines),
    config: [...devices.flatMap(addressLines), ...configurationLines(netns)],
    accounts: isNode ? [...KUBE_PROXY_ACCOUNTS] : [],
    rules,
    capture: true,
    listen: listenPlans(netns),
    bridges: devices.filter(isBridge).map(({ name }) => name),
  };
}

/** What kube-proxy counts with, and makes at its start (pkg/proxy/metrics: IPTablesCTStateInvalidDroppedNFAcctCounter …). */
const KUBE_PROXY_ACCOUNTS = ["ct_state_invalid_dropped_pkts", "localhost_nps_accepted_pkts"] as const;

const isBridge = (dev: NetDevice): dev is Bridge => dev.kind === "bridge";

/** A port of the segment's bridge takes whatever its NIC sends, so that only the NIC's own MTU counts. */
const WIRE_MTU = 65_535;

function machineLine(dev: NetDevice, real: (netns: string) => string): string[] {
  const head = `link add name ${dev.name} address ${formatMac(dev.mac)} mtu ${dev.mtu}`;
  if (dev instanceof Nic) {
    const { segment } = dev;
    const port = `p${segment.nics.indexOf(dev)} mtu ${WIRE_MTU}`;
    return [`${head} type veth peer name ${port} netns ${real(segmentNetns(segment.name))}`];
  }
  if (dev instanceof Vxlan) {
    const { vni, local, lower, port, learning } = dev.options;
    const way = lower === null ? "" : ` dev ${lower.name}`;
    return [
      `${head} type vxlan id ${vni} local ${formatIpv4(local)}${way} dstport ${port} ${learning ? "" : "no"}learning`,
    ];
  }
  return isBridge(dev) ? [`${head} type bridge mcast_snooping 0`] : [];
}

function vethLine(dev: Veth, real: (netns: string) => string, wired: Set<NetDevice>): string[] {
  const { peer } = dev;
  if (peer === null || wired.has(dev)) return [];
  wired.add(peer);
  const end = ({ name, mac, mtu }: NetDevice): string => `name ${name} address ${formatMac(mac)} mtu ${mtu}`;
  return [`link add ${end(dev)} type veth peer ${end(peer)} netns ${real(peer.netns.name)}`];
}

/** Ports in the order in which they were enslaved, which decides the order of flooding. */
const portLines = (bridge: Bridge): string[] =>
  [...bridge.ports]
    .reverse()
    .flatMap(({ dev, hairpin }) => [
      `link set ${dev.name} master ${bridge.name}`,
      ...(hairpin ? [`link set ${dev.name} type bridge_slave hairpin on`] : []),
    ]);

const vxlanFdbLines = (dev: Vxlan): string[] =>
  [...dev.fdb].map(
    ([mac, remote]) => `fdb replace ${formatMac(mac)} dev ${dev.name} dst ${formatIpv4(remote)}`,
  );

function addressLines(dev: NetDevice): string[] {
  const lines = dev.loopback
    ? []
    : dev.addresses.map(({ local, prefixLength, broadcast }) => {
        const brd = broadcast === null ? "" : ` brd ${formatIpv4(broadcast)}`;
        return `addr add ${formatIpv4(local)}/${prefixLength}${brd} dev ${dev.name}`;
      });
  if (dev.kind === "tun") lines.unshift(`link set ${dev.name} mtu ${dev.mtu}`);
  if (dev.promiscuous) lines.push(`link set ${dev.name} promisc on`);
  return dev.up ? [...lines, `link set ${dev.name} up`] : lines;
}

/** `ip` lines of the neighbours and routes that somebody added to a namespace. */
export const configurationLines = (netns: Netns): string[] => [
  ...neighbourLines(netns),
  ...routeLines(netns),
];

const neighbourLines = (netns: Netns): string[] =>
  [...netns.neighbours.entries()]
    .filter(({ state }) => state === "PERMANENT")
    .map(
      ({ address, mac, dev }) =>
        `neigh replace ${formatIpv4(address)} lladdr ${formatMac(mac)} nud permanent dev ${dev.name}`,
    );

/** Routes that somebody added, on-link ones first: later ones may need them to reach their gateways. */
function routeLines(netns: Netns): string[] {
  const added = ([RT_TABLE_LOCAL, RT_TABLE_MAIN] as const)
    .flatMap((table) => [...netns.fib.entries(table)])
    .filter(({ protocol }) => protocol !== "kernel")
    .sort((a, b) => Number(a.gateway !== 0) - Number(b.gateway !== 0));
  return added.map((entry) => {
    const words = ["route append", ROUTE_TYPE_NAMES[entry.type]];
    words.push(`${formatIpv4(entry.destination)}/${entry.prefixLength}`);
    if (entry.gateway !== 0) words.push(`via ${formatIpv4(entry.gateway)}`);
    if (entry.dev !== null) words.push(`dev ${entry.dev.name}`);
    if (entry.prefsrc !== 0) words.push(`src ${formatIpv4(entry.prefsrc)}`);
    if (entry.metric !== 0) words.push(`metric ${entry.metric}`);
    if (entry.mtu !== 0) words.push(`mtu ${entry.mtu}`);
    if (entry.gateway === 0 && entry.dev !== null) words.push(`scope ${entry.scope}`);
    if (entry.onlink) words.push("onlink");
    words.push(`table ${entry.table}`);
    return words.join(" ");
  });
}

function listenPlans(netns: Netns): ListenPlan[] {
  return netns.sockets.listeners.flatMap(({ protocol, address, port, owner, respondBytes }) =>
    protocol === "sctp" || !SERVED.includes(protocol)
      ? []
      : [{ protocol, address: formatIpv4(address), port, owner, bytes: respondBytes }],
  );
}
