import type { PodModel } from "../../cluster/objects/model.ts";
import type { NetDevice } from "../../linux/device/device.ts";
import { Nic } from "../../linux/device/segment.ts";
import { Tun } from "../../linux/device/tun.ts";
import { Veth } from "../../linux/device/veth.ts";
import type { Netns } from "../../linux/netns.ts";
import { formatIpv4 } from "../../packet/address.ts";
import type { TraceableCluster } from "../cluster.ts";
import { deviceId, netnsId, processId, segmentId } from "./box-id.ts";
import type { Box, Diagram, Link, Way } from "./model.ts";

/** What of the cluster is wanted. */
export interface Wanted {
  /** Boxes that a packet was in; null for everything there is. */
  readonly used: ReadonlySet<string> | null;
  /** Processes that sent or got the packet: names by namespace. */
  readonly processes: ReadonlyMap<string, ReadonlySet<string>>;
}

/** flannel's user-space daemon: the process at the other side of its TUN device. */
export const FLANNELD = "flanneld";

/** The boxes and links of a cluster, or of what `wanted` says of it. Namespaces are in the order of their making. */
export function topologyOf(
  { model, network }: TraceableCluster,
  wanted: Wanted,
): Pick<Diagram, "boxes" | "links"> {
  const pods = new Map(model.pods.map((pod) => [`${pod.nodeName}/${pod.namespace}/${pod.name}`, pod]));
  const nodes = new Set(model.nodes.map(({ name }) => name));
  const shown = [...network.namespaces.keys()]
    .filter((name) => isShown(name, wanted.used))
    .map((name) => network.netns(name));
  const boxes: Box[] = [];
  for (const netns of shown) {
    const pod = pods.get(netns.name);
    boxes.push(pod === undefined ? machineBox(netns, nodes, model.pods, wanted) : podBox(netns, pod));
    boxes.push(...deviceBoxes(netns, wanted), ...processBoxes(netns, wanted));
  }
  const there = new Set(boxes.map(({ id }) => id));
  for (const segment of network.segments.values()) {
    const isUsed = segment.nics.some((nic) => there.has(idOf(nic)));
    if (!isUsed) continue;
    const { subnet } = model.segments.find(({ name }) => name === segment.name) ?? { subnet: null };
    boxes.unshift(
      plainBox("segment", segmentId(segment.name), null, segment.name, subnet === null ? [] : [subnet]),
    );
    there.add(segmentId(segment.name));
  }
  const links = shown
    .flatMap((netns) => linksOf(netns, there))
    .filter(({ from, to }) => there.has(from) && there.has(to));
  return { boxes, links };
}

const idOf = ({ netns, name }: NetDevice): string => deviceId(netns.name, name);

/** A namespace is drawn when it is used, or when one that stands in it is. */
function isShown(netns: string, used: ReadonlySet<string> | null): boolean {
  const id = netnsId(netns);
  if (used === null || used.has(id)) return true;
  for (const one of used) if (one.startsWith(`${id}/`)) return true;
  return false;
}

function plainBox(
  kind: Box["kind"],
  id: string,
  parent: string | null,
  label: string,
  details: readonly string[],
  netns: string | null = null,
): Box {
  return { id, kind, parent, label, details, netns, device: null };
}

function podBox({ name }: Netns, pod: PodModel): Box {
  const label = pod.namespace === "default" ? pod.name : `${pod.namespace}/${pod.name}`;
  return plainBox("pod", netnsId(name), netnsId(pod.nodeName), label, [pod.ip], name);
}

function machineBox(
  { name }: Netns,
  nodes: ReadonlySet<string>,
  pods: readonly PodModel[],
  { used }: Wanted,
): Box {
  if (!nodes.has(name)) return plainBox("host", netnsId(name), null, name, [], name);
  const others = pods.filter(
    (pod) =>
      pod.nodeName === name &&
      !pod.hostNetwork &&
      used !== null &&
      !used.has(netnsId(`${name}/${pod.namespace}/${pod.name}`)),
  ).length;
  const details = others === 0 ? [] : [`${others} more ${others === 1 ? "pod" : "pods"}`];
  return plainBox("node", netnsId(name), null, name, details, name);
}

/** Which devices are drawn although no packet crossed them: always, or where the whole cluster is wanted. */
const UNUSED: Readonly<Record<NetDevice["kind"], "always" | "all" | "never">> = {
  nic: "always",
  bridge: "always",
  veth: "all",
  tun: "all",
  vxlan: "all",
  loopback: "never",
  dummy: "never",
};

/** Did the packet cross it, or come to the daemon behind it? */
const isUsed = (dev: NetDevice, used: ReadonlySet<string> | null): boolean =>
  used !== null &&
  (used.has(idOf(dev)) ||
    (dev instanceof Tun && dev.owner !== null && used.has(processId(dev.netns.name, FLANNELD))));

/** Devices that the packet crossed, and those without which the picture of the namespace would be in pieces. */
function deviceBoxes(netns: Netns, { used }: Wanted): Box[] {
  const devices = [...netns.devices.values()].filter(
    (dev) =>
      used?.has(idOf(dev)) || UNUSED[dev.kind] === "always" || (used === null && UNUSED[dev.kind] === "all"),
  );
  return devices.map((dev) => ({
    id: idOf(dev),
    kind: "device",
    parent: netnsId(netns.name),
    label: dev.name,
    details: dev.addresses.map(({ local, prefixLength }) => `${formatIpv4(local)}/${prefixLength}`),
    netns: netns.name,
    device: dev.kind,
  }));
}

function processBoxes(netns: Netns, { used, processes }: Wanted): Box[] {
  const ends = [...(processes.get(netns.name) ?? [])];
  const names = new Set(ends.filter((name) => used === null || used.has(processId(netns.name, name))));
  for (const dev of netns.devices.values())
    if (dev instanceof Tun && dev.owner !== null && (used === null || isUsed(dev, used))) names.add(FLANNELD);
  return [...names].map((name) =>
    plainBox("process", processId(netns.name, name), netnsId(netns.name), name, [], netns.name),
  );
}

/** Links from the top of a picture to its bottom: process, device, bridge, tunnel, NIC, segment. */
function linksOf(netns: Netns, there: ReadonlySet<string>): Link[] {
  const links: Link[] = [];
  const join = (kind: Link["kind"], from: string, to: string): void => {
    links.push({ id: `${kind}:${from}>${to}`, kind, from, to });
  };
  const devices = [...netns.devices.values()].filter((dev) => there.has(idOf(dev)));
  const nics = devices.filter((dev) => dev instanceof Nic);
  const tunnels = devices.filter(({ kind }) => kind === "tun" || kind === "vxlan");
  for (const dev of devices) {
    // the pod's end is on top: it is the one that no bridge has, in a namespace with nothing but it
    if (dev instanceof Veth && dev.peer !== null && isUpperEnd(dev)) join("veth", idOf(dev), idOf(dev.peer));
    if (dev.port !== null) join("port", idOf(dev), idOf(dev.port.bridge));
    if (dev instanceof Nic) join("wire", idOf(dev), segmentId(dev.segment.name));
    const isInner = dev.port === null && (dev.kind === "bridge" || (dev instanceof Veth && !isUpperEnd(dev)));
    if (isInner) for (const out of [...tunnels, ...nics]) join("routed", idOf(dev), idOf(out));
  }
  const daemon = processId(netns.name, FLANNELD);
  for (const tunnel of tunnels) {
    const through = tunnel.kind === "tun" && there.has(daemon) ? daemon : idOf(tunnel);
    if (through === daemon) join("local", idOf(tunnel), daemon);
    for (const nic of nics) join("carried", through, idOf(nic));
  }
  return [...links, ...processLinks(netns, devices, there)];
}

function isUpperEnd(dev: Veth): boolean {
  const { peer } = dev;
  if (peer === null || dev.port !== null) return false;
  return peer.port !== null || dev.netns.name.startsWith(`${peer.netns.name}/`);
}

/** A process that sends and receives stands above the devices by which its namespace is reached. */
function processLinks(netns: Netns, devices: readonly NetDevice[], there: ReadonlySet<string>): Link[] {
  const prefix = processId(netns.name, "");
  const ids = [...there].filter((id) => id.startsWith(prefix) && id !== processId(netns.name, FLANNELD));
  const outlets = devices.filter((dev) => dev.port === null);
  return ids.flatMap((from) =>
    outlets.map((dev): Link => {
      const to = idOf(dev);
      return { id: `local:${from}>${to}`, kind: "local", from, to };
    }),
  );
}

/** Links that nothing but a packet's way shows: between two devices of a namespace, the upper one first. */
export function pathLinks({ boxes, links }: Pick<Diagram, "boxes" | "links">, ways: readonly Way[]): Link[] {
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const known = new Set(links.flatMap(({ from, to }) => [`${from}>${to}`, `${to}>${from}`]));
  const added: Link[] = [];
  for (const { legs } of ways)
    for (const leg of legs) {
      const [a, b] = [byId.get(leg.from), byId.get(leg.to)];
      if (a === undefined || b === undefined || a.netns !== b.netns || known.has(`${a.id}>${b.id}`)) continue;
      if (![a, b].every(({ kind }) => kind === "device" || kind === "process")) continue;
      const [from, to] = rankOf(a) <= rankOf(b) ? [a.id, b.id] : [b.id, a.id];
      known.add(`${from}>${to}`).add(`${to}>${from}`);
      added.push({ id: `routed:${from}>${to}`, kind: "routed", from, to });
    }
  return added;
}

const RANKS: Readonly<Record<NetDevice["kind"], number>> = {
  dummy: 1,
  veth: 1,
  bridge: 2,
  loopback: 2,
  tun: 3,
  vxlan: 3,
  nic: 4,
};

const rankOf = ({ device }: Box): number => (device === null ? 0 : RANKS[device]);
