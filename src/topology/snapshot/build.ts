import type { ClusterModel } from "../../cluster/objects/model.ts";
import { RuleSetError } from "../../linux/netfilter/rules/error.ts";
import type { Netns } from "../../linux/netns.ts";
import { Network } from "../../linux/network.ts";
import { documentFault, TopologyError } from "../load/fault.ts";
import { addConnections } from "./connections.ts";
import { addDevices, bringUp, type DevicesByIndex, joinVeths, type VethEnds } from "./devices.ts";
import type { LinkRow, NamespaceSnapshot, NodeSnapshot, PodSnapshot } from "./files.ts";
import { startFlannelUdp } from "./flannel.ts";
import { readIpsets } from "./ipsets.ts";
import { snapshotModel } from "./model.ts";
import { addForwardingEntries, addListeners, addNeighbours, applySysctls, replaceRoutes } from "./state.ts";

const FLANNEL_UDP_PORT = 8285;

/** A copy of real nodes that packets can be sent through. */
export interface SnapshotCluster {
  readonly network: Network;
  readonly model: ClusterModel;
  /** What of the nodes is not simulated. */
  readonly warnings: readonly string[];
}

interface Built {
  readonly netns: Netns;
  readonly snapshot: NamespaceSnapshot;
  readonly devices: DevicesByIndex;
}

/**
 * Builds the namespaces of collected nodes: devices, addresses, routes, neighbours, rules with their counters, sets,
 * connections, sockets and settings, each as the node's own tools told of it.
 *
 * @throws TopologyError for files that are not what the tools print, and for rules that no packet can be judged by.
 */
export function buildSnapshots(
  nodes: readonly NodeSnapshot[],
  options: { seed?: number } = {},
): SnapshotCluster {
  const network = new Network(options);
  const warnings: string[] = [];
  const roots = nodes.map((node) => buildNode(network, node, warnings));
  warnings.push(...startFlannelUdp(roots, FLANNEL_UDP_PORT));
  // last, so that the daemon's own port, which ss lists too, is not taken for a server's
  for (const node of nodes) {
    addListeners(network.netns(node.name), node.root.listeners);
    for (const { name, netns } of podsOf(node))
      addListeners(network.netns(snapshotPodNetns(node.name, name)), netns.listeners);
  }
  const pods = nodes.flatMap((node) =>
    podsOf(node).map(({ name }) => ({
      node: node.name,
      name,
      netns: network.netns(snapshotPodNetns(node.name, name)),
    })),
  );
  return { network, model: snapshotModel(network, roots, pods), warnings };
}

/** The name of a collected pod's namespace. */
const snapshotPodNetns = (node: string, pod: string): string => `${node}/default/${pod}`;

function buildNode(network: Network, node: NodeSnapshot, warnings: string[]): Netns {
  const pods = podsOf(node);
  const ends = podEnds(node);
  const veths: VethEnds[] = [];
  const built: Built[] = [];
  const add = (name: string, snapshot: NamespaceSnapshot, isPaired: (row: LinkRow) => boolean): void => {
    const netns = network.addNetns(name);
    applySysctls(netns, snapshot.sysctl);
    const made = addDevices(netns, snapshot, isPaired);
    veths.push(...made.veths);
    warnings.push(...made.unknown.map((text) => `${name}: ${text}`));
    built.push({ netns, snapshot, devices: made.devices });
  };
  add(
    node.name,
    node.root,
    (end) =>
      ends.includes(end) && pods.some((pod) => pod.netns.links.some((row) => isPair(end, row, pod.nsid))),
  );
  for (const pod of pods)
    add(snapshotPodNetns(node.name, pod.name), pod.netns, (row) =>
      ends.some((end) => isPair(end, row, pod.nsid)),
    );
  joinVeths(veths, new Map(pods.map((pod) => [snapshotPodNetns(node.name, pod.name), pod.nsid])));
  for (const one of built) {
    bringUp(one.netns, one.snapshot, one.devices);
    applySysctls(one.netns, one.snapshot.sysctl);
  }
  for (const one of built) fill(one, warnings);
  return built[0]!.netns;
}

/**
 * The namespaces that hang on this node by a veth; a machine has others that are nobody's business here. A veth with an
 * address of its own is no pod's: it leads to a wire, as the NIC of a node that is itself a namespace does.
 */
function podsOf(node: NodeSnapshot): readonly PodSnapshot[] {
  const ends = podEnds(node);
  return node.pods.filter((pod) =>
    pod.netns.links.some((row) => ends.some((end) => isPair(end, row, pod.nsid))),
  );
}

/** The node's ends of its pods' veth pairs. */
function podEnds({ root }: NodeSnapshot): readonly LinkRow[] {
  const addressed = new Set(
    root.addrs
      .filter(({ addr_info }) => addr_info.some(({ family }) => family === "inet"))
      .map(({ ifname }) => ifname),
  );
  return root.links.filter((row) => row.linkinfo?.info_kind === "veth" && !addressed.has(row.ifname));
}

/** Do the two rows name each other, and the node's row the pod's namespace? */
const isPair = (end: LinkRow, row: LinkRow, nsid: number | null): boolean =>
  row.link_index === end.ifindex &&
  end.link_index === row.ifindex &&
  (nsid === null || end.link_netnsid === undefined || end.link_netnsid === nsid);

function fill({ netns, snapshot }: Built, warnings: string[]): void {
  const note = (texts: readonly string[]): void => {
    warnings.push(...texts.map((text) => `${netns.name}: ${text}`));
  };
  note(replaceRoutes(netns, snapshot.routes));
  const extra = snapshot.rules.filter(({ priority }) => priority !== 0 && priority < 32766);
  if (extra.length > 0) note([`${extra.length} routing rules of its own are not simulated`]);
  addNeighbours(netns, snapshot);
  addForwardingEntries(netns, snapshot);
  const { sets, unknown } = readIpsets(snapshot.ipsetSave);
  note(unknown);
  for (const set of sets) netns.netfilter.state.sets.set(set.name, set);
  loadRules(netns, snapshot, note);
  addConnections(netns, snapshot.conntrack);
}

function loadRules(
  netns: Netns,
  snapshot: NamespaceSnapshot,
  note: (texts: readonly string[]) => void,
): void {
  const hasRules = (text: string): boolean => /^(\[\d+:\d+\] )?-A /m.test(text);
  const main =
    hasRules(snapshot.iptablesSave) || !hasRules(snapshot.iptablesLegacySave)
      ? "iptables-save"
      : "iptables-legacy-save";
  if (
    hasRules(snapshot.iptablesSave) &&
    hasRules(snapshot.iptablesLegacySave) &&
    snapshot.iptablesSave !== snapshot.iptablesLegacySave
  )
    note(["has rules of iptables-legacy beside those of iptables-nft: only the latter are simulated"]);
  const text = main === "iptables-save" ? snapshot.iptablesSave : snapshot.iptablesLegacySave;
  if (text === "") return;
  try {
    netns.netfilter.load(text, { counters: true });
  } catch (error) {
    if (!(error instanceof RuleSetError)) throw error;
    throw new TopologyError([documentFault(`${snapshot.folder}/${main}`, error.line, error.detail)]);
  }
}
