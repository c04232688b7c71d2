import { createHash } from "node:crypto";
import type { Service } from "kubernetes-types/core/v1.js";
import type { NetDevice } from "../../linux/device/device.ts";
import { addRoute } from "../../linux/ip/address.ts";
import type { Netns } from "../../linux/netns.ts";
import { contains, isAddress, toBlock, toNumber } from "../objects/address.ts";
import type { ClusterModel, NodeModel } from "../objects/model.ts";
import { nicMac } from "./machine.ts";

/** A load balancer's address and the node to which the world outside sends what is for it. */
export interface Announcement {
  readonly address: string;
  readonly node: string;
}

/**
 * Who announces the addresses of LoadBalancer Services, as MetalLB decides (speaker/layer2_controller.go:
 * ShouldAnnounce): one node an address, of all nodes under `externalTrafficPolicy: Cluster` and of those with a ready
 * endpoint under `Local`, by the smallest SHA-256 of `NODE#ADDRESS`; nobody where no endpoint is ready. Addresses of
 * `ipMode: Proxy` never reach the nodes and are left out.
 */
export function announcements(model: ClusterModel): Announcement[] {
  const found: Announcement[] = [];
  for (const service of model.services) {
    const addresses = ingressAddresses(service);
    if (addresses.length === 0) continue;
    const homes = readyNodes(model, service);
    if (homes.size === 0) continue;
    const local = service.spec?.externalTrafficPolicy === "Local";
    const candidates = model.nodes.map(({ name }) => name).filter((name) => !local || homes.has(name));
    for (const address of addresses) {
      const node = elect(candidates, address);
      if (node !== null && !found.some((one) => one.address === address)) found.push({ address, node });
    }
  }
  return found;
}

/** IPv4 addresses of a Service's load balancer that packets carry to the nodes. */
export function ingressAddresses({ spec, status }: Service): string[] {
  if (spec?.type !== "LoadBalancer") return [];
  return (status?.loadBalancer?.ingress ?? [])
    .filter((one) => (one as { ipMode?: string }).ipMode !== "Proxy")
    .flatMap(({ ip }) => (ip !== undefined && isAddress(ip) ? [ip] : []));
}

/** Nodes with a ready endpoint of the Service; an endpoint without a node counts as ready on "". */
function readyNodes({ endpointSlices }: ClusterModel, { metadata }: Service): Set<string> {
  const nodes = new Set<string>();
  for (const slice of endpointSlices) {
    if (slice.metadata?.namespace !== metadata?.namespace) continue;
    if (slice.metadata?.labels?.["kubernetes.io/service-name"] !== metadata?.name) continue;
    for (const { conditions, nodeName } of slice.endpoints)
      if (conditions?.ready !== false) nodes.add(nodeName ?? "");
  }
  return nodes;
}

function elect(candidates: readonly string[], address: string): string | null {
  const rank = (node: string) => createHash("sha256").update(`${node}#${address}`).digest("hex");
  const ranked = candidates.map((node) => ({ node, rank: rank(node) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked[0]?.node ?? null;
}

/** Takes an announcement back. */
export type Withdraw = () => void;

/**
 * Makes an address known to the hosts that share the node's segment. An address of the segment's own subnet is
 * answered for by the node, without being the node's (MetalLB's layer 2 mode): each host's neighbour table holds the
 * node's MAC for it. Any other address is a route by the node (its BGP mode), unless a host's own routes name a way
 * to it: then the topology has a load balancer of its own.
 */
export function announce(
  { address, node: name }: Announcement,
  model: ClusterModel,
  hosts: ReadonlyMap<string, Netns>,
): Withdraw[] {
  const node = model.nodes.find((one) => one.name === name)!;
  const via = node.nic.addresses[0];
  const number = toNumber(address);
  const stated = model.hosts.some(({ routes }) => routes.some(({ to }) => covers(to, number)));
  return [...hosts.values()].flatMap((host) =>
    nicsOn(host, node).flatMap((nic) => {
      const near = nic.addresses.some((own) => covers(`${address}/${own.prefixLength}`, own.local));
      if (near) return [answerFor(nic, number, nicMac(name, node.nic.name))];
      return stated || via === undefined ? [] : [routeBy(nic, number, toBlock(via).address)];
    }),
  );
}

function covers(block: string, address: number): boolean {
  const parsed = toBlock(block);
  return parsed.length > 0 && contains(parsed, address);
}

const nicsOn = (host: Netns, { nic: { segment } }: NodeModel): NetDevice[] =>
  host.network.segments.get(segment)!.nics.filter((nic) => nic.netns === host);

function answerFor(nic: NetDevice, address: number, mac: number): Withdraw {
  nic.netns.neighbours.addPermanent(nic, address, mac);
  return () => void nic.netns.neighbours.remove(nic, address);
}

function routeBy(nic: NetDevice, address: number, gateway: number): Withdraw {
  const entry = addRoute(nic.netns, {
    destination: address,
    prefixLength: 32,
    gateway,
    dev: nic,
    onlink: true,
  });
  return () => void nic.netns.fib.remove(entry);
}
