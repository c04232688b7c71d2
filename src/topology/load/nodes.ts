/** Nodes: address, pod subnet, NIC, docker and sysctls, each as stated or by default. */
import type { Node } from "kubernetes-types/core/v1.js";
import { subnetLeases } from "../../cluster/controllers/subnet-lease.ts";
import {
  type Block,
  blockText,
  encloses,
  isBlock,
  overlap,
  toBlock,
  toNumber,
  toText,
} from "../../cluster/objects/address.ts";
import type { NodeSettings } from "../../cluster/objects/cluster.ts";
import type { DockerModel, NodeModel } from "../../cluster/objects/model.ts";
import { didYouMean } from "../../cluster/objects/nearest.ts";
import { internalAddress, podBlock, zoneOf } from "../../cluster/objects/node.ts";
import { inKeyOrder, nameOf } from "../../cluster/objects/store.ts";
import { toSysctls } from "../../cluster/objects/sysctl.ts";
import type { Path } from "../../cluster/objects/validate.ts";
import { readSaveFile } from "../../linux/netfilter/iptables-save/read.ts";
import { RuleSetError } from "../../linux/netfilter/rules/error.ts";
import type { AddressBook } from "./address-book.ts";
import type { Context } from "./context.ts";
import { checkDeviceNames } from "./device-names.ts";
import { listenPorts } from "./hosts.ts";
import { describe, isHostAddress, type SegmentPlan } from "./segments.ts";
import type { FlannelSettings } from "./settings.ts";

/** What a node has unless the Cluster says otherwise: CentOS' first NIC, docker as installed, a kubelet that listens. */
const DEFAULTS = {
  nic: { name: "ens33", mtu: 1500 },
  docker: {
    bridge: "docker0",
    ipMasq: true,
    iptables: true,
    hairpin: false,
    forwardPolicy: "ACCEPT",
    mtu: 1500,
  } satisfies Omit<DockerModel, "address">,
  sysctl: {
    "net.ipv4.ip_forward": 1,
    "net.bridge.bridge-nf-call-iptables": 1,
    "net.ipv4.conf.all.rp_filter": 0,
  },
  listen: [{ port: 10250, protocol: "TCP" as const }],
};

/** The nodes, in order of name. Their addresses are entered into the book, which must hold the hosts' already. */
export function resolveNodes(
  context: Context,
  segments: readonly SegmentPlan[],
  flannel: FlannelSettings,
  book: AddressBook,
): NodeModel[] {
  checkOverrides(context);
  checkDeviceNames(
    { nic: DEFAULTS.nic.name, bridge: DEFAULTS.docker.bridge },
    flannel.model.backend,
    context,
  );
  const spec = context.objects.cluster?.spec;
  checkGateway(spec?.node, ["spec", "node"], segments, context);
  checkRules(spec?.node, ["spec", "node"], context);
  for (const [name, settings] of Object.entries(spec?.nodes ?? {})) {
    checkGateway(settings, ["spec", "nodes", name], segments, context);
    checkRules(settings, ["spec", "nodes", name], context);
  }
  const nodes = inKeyOrder(context.objects.store.nodes);
  const addresses = nodeAddresses(nodes, context, segments, book);
  const subnets = nodeSubnets(nodes, context, flannel);
  return nodes.flatMap((node, i) => {
    const place = addresses[i];
    const subnet = subnets[i];
    return place && subnet ? [nodeModel(node, place, subnet, context)] : [];
  });
}

/** A default gateway must be on the node's segment: it is asked for by ARP. */
function checkGateway(
  settings: NodeSettings | undefined,
  path: Path,
  segments: readonly SegmentPlan[],
  { objects, report }: Context,
): void {
  const gateway = settings?.gateway;
  if (gateway === undefined || objects.cluster === null) return;
  if (segments.some(({ block }) => isHostAddress(block, toNumber(gateway)))) return;
  report(
    objects.cluster,
    [...path, "gateway"],
    `${gateway} is no host's address in any segment (${describe(segments)})`,
  );
}

/**
 * Rules are read here for faults of syntax alone: which chains they may name is known when everybody's rules are
 * there.
 */
function checkRules(settings: NodeSettings | undefined, path: Path, { objects, report }: Context): void {
  for (const field of ["iptables", "iptablesLegacy"] as const) {
    const text = settings?.[field];
    if (text === undefined || objects.cluster === null) continue;
    try {
      readSaveFile(text);
    } catch (error) {
      if (!(error instanceof RuleSetError)) throw error;
      report(objects.cluster, [...path, field], error.message);
    }
  }
}

function checkOverrides({ objects, report }: Context): void {
  const { cluster, store, broken } = objects;
  for (const name of Object.keys(cluster?.spec?.nodes ?? {})) {
    if (cluster === null || store.nodes.has(name) || broken.has(`Node//${name}`)) continue;
    report(
      cluster,
      ["spec", "nodes", name],
      `there is no Node of this name${didYouMean(name, store.nodes.keys())}`,
    );
  }
}

/** A node's address and the segment it stands on. */
interface Place {
  address: string;
  segment: SegmentPlan;
}

function nodeAddresses(
  nodes: readonly Node[],
  context: Context,
  segments: readonly SegmentPlan[],
  book: AddressBook,
): (Place | null)[] {
  const places = nodes.map((node) => statedPlace(node, context, segments, book));
  const [first] = segments;
  if (first === undefined) throw new Error("a cluster without a segment");
  if (first.gateway !== null) book.enter(first.gateway, `the gateway of segment ${first.name}`);
  let next = first.block.base + 1;
  return nodes.map((node, i) => {
    if (internalAddress(node) !== null) return places[i] ?? null;
    while (isHostAddress(first.block, next) && book.holderOf(toText(next)) !== null) next++;
    if (!isHostAddress(first.block, next)) {
      const text = `no address is left in segment ${first.name}, ${blockText(first.block)}`;
      context.report(node, ["status", "addresses"], text);
      return null;
    }
    const address = toText(next);
    book.enter(address, `Node ${nameOf(node)}`);
    return { address, segment: first };
  });
}

function statedPlace(
  node: Node,
  { report }: Context,
  segments: readonly SegmentPlan[],
  book: AddressBook,
): Place | null {
  const stated = internalAddress(node);
  if (stated === null) return null;
  const { address, index } = stated;
  const fault = (text: string) => report(node, ["status", "addresses", index, "address"], text);
  const holder = book.enter(address, `Node ${nameOf(node)}`);
  if (holder !== null) fault(`${address} is the address of ${holder} already`);
  const segment = segments.find(({ block }) => isHostAddress(block, toNumber(address)));
  if (segment === undefined) fault(`${address} is no host's address in any segment (${describe(segments)})`);
  return segment === undefined ? null : { address, segment };
}

function nodeSubnets(nodes: readonly Node[], context: Context, flannel: FlannelSettings): (Block | null)[] {
  const stated = nodes.map((node) => statedSubnet(node, context, flannel));
  warnOfClashes(nodes, stated, context);
  const missing = nodes.filter((node) => podBlock(node) === null);
  const taken = stated.filter((block) => block !== null);
  const leases = subnetLeases(taken, flannel.range, flannel.model.subnetLen, missing.length);
  const leased = new Map(missing.map((node, i) => [node, leases[i] ?? null]));
  return nodes.map((node, i) => {
    const lease = leased.get(node);
    if (lease === null)
      context.report(
        node,
        ["spec", "podCIDR"],
        `no subnet is left in flannel's Network ${flannel.model.network}`,
      );
    return lease ?? stated[i] ?? null;
  });
}

function statedSubnet(node: Node, { report }: Context, { model, stated }: FlannelSettings): Block | null {
  const written = podBlock(node);
  if (written === null) return null;
  const block = toBlock(written.block);
  const { path } = written;
  if (stated && !encloses(toBlock(model.network), block))
    report(node, path, `${written.block} is outside flannel's Network ${model.network}`);
  if (block.length > 30)
    report(node, path, `${written.block} is too small: docker's bridge and one pod need a /30`);
  else if (block.address !== block.base)
    report(node, path, `${written.block} is no network: its first address is ${blockText(block)}`);
  return block;
}

/** A subnet two nodes have is a lost lease or a copied configuration: it can be built, and packets go astray. */
function warnOfClashes(nodes: readonly Node[], blocks: readonly (Block | null)[], { warn }: Context): void {
  const sorted = nodes
    .flatMap((node, i) => (blocks[i] ? [{ node, block: blocks[i] }] : []))
    .sort((a, b) => a.block.base - b.block.base);
  for (const [i, { node, block }] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before === undefined || !overlap(before.block, block)) continue;
    const path = podBlock(node)?.path ?? ["spec", "podCIDR"];
    warn(
      node,
      path,
      `${blockText(block)} overlaps ${blockText(before.block)} of Node ${nameOf(before.node)}`,
    );
  }
}

function nodeModel(node: Node, { address, segment }: Place, subnet: Block, { objects }: Context): NodeModel {
  const name = nameOf(node);
  const spec = objects.cluster?.spec;
  const settings: NodeSettings[] = [
    spec?.node ?? {},
    Object.hasOwn(spec?.nodes ?? {}, name) ? spec!.nodes![name]! : {},
  ];
  const nic = Object.assign({}, DEFAULTS.nic, ...settings.map((one) => one.nic));
  const docker = Object.assign({}, DEFAULTS.docker, ...settings.map((one) => one.docker));
  const sysctl = Object.assign({}, DEFAULTS.sysctl, ...settings.map((one) => one.sysctl));
  const flannel = Object.assign(
    {},
    { publicIP: address, lease: true },
    ...settings.map((one) => one.flannel),
  );
  const iptables = settings[1]?.iptables ?? settings[0]?.iptables;
  const iptablesLegacy = settings[1]?.iptablesLegacy ?? settings[0]?.iptablesLegacy;
  const routes = settings[1]?.routes ?? settings[0]?.routes ?? [];
  const listen = settings[1]?.listen ?? settings[0]?.listen;
  const podCIDR = blockText(subnet);
  return {
    name,
    internalIP: address,
    podCIDR,
    nic: {
      name: nic.name,
      mtu: nic.mtu,
      segment: segment.name,
      addresses: [`${address}/${segment.block.length}`],
    },
    gateway: settings[1]?.gateway ?? settings[0]?.gateway ?? segment.gateway,
    routes: routes.map(({ to, via }) => ({ to, via })),
    flannel,
    ...(iptables === undefined ? {} : { iptables }),
    ...(iptablesLegacy === undefined ? {} : { iptablesLegacy }),
    docker: { ...docker, address: `${toText(subnet.base + 1)}/${subnet.length}` },
    ...toSysctls(sysctl),
    listen: listen === undefined ? DEFAULTS.listen : listenPorts(listen),
    zone: zoneOf(node),
    kubernetes: completeNode(node, address, podCIDR),
  };
}

/** The Node as the API server would show it: with the address and the subnet it got. */
function completeNode(node: Node, address: string, podCIDR: string): Node {
  const addresses = node.status?.addresses ?? [];
  const isListed = addresses.some((one) => one.type === "InternalIP" && one.address === address);
  const podCIDRs = node.spec?.podCIDRs ?? [podCIDR];
  return {
    ...node,
    spec: {
      ...node.spec,
      podCIDR: podBlock(node)?.block ?? podCIDR,
      podCIDRs: podCIDRs.some(isBlock) ? podCIDRs : [podCIDR],
    },
    status: {
      ...node.status,
      addresses: isListed ? addresses : [...addresses, { type: "InternalIP", address }],
    },
  };
}
