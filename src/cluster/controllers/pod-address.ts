/**
 * docker's allocator of container addresses: on each node the next free address of its subnet, ascending
 * (`libnetwork/ipam`); the network's address, docker0's (the first) and broadcast are never given to a container.
 */
import type { Pod } from "kubernetes-types/core/v1.js";
import { type Block, blockText, contains, isAddress, overlap, toNumber, toText } from "../objects/address.ts";
import { show } from "../objects/field.ts";
import { keyOf, type Report } from "../objects/store.ts";
import { NumberRange } from "./free-number.ts";

/** What of a node matters here. */
export interface PodSubnet {
  nodeName: string;
  internalIP: string;
  block: Block;
}

/** An address, or the reason why there is none. */
export type PodAddress = { ip: string } | { ip: null; message: string };

/**
 * Addresses of pods that have a node, by key. `status.podIP` is kept; a hostNetwork pod has its node's. Reports an address
 * that is no address, outside its node's subnet, docker0's, or another pod's. Two nodes whose subnets clash may hold equal
 * addresses: that is the failure such a topology shows.
 */
export function allocatePodAddresses(
  pods: readonly Pod[],
  subnets: ReadonlyMap<string, PodSubnet>,
  report: Report,
): Map<string, PodAddress> {
  const allocators = new Map<string, NumberRange>();
  for (const { nodeName, block } of subnets.values())
    allocators.set(nodeName, new NumberRange(block.base + 2, block.base + block.size - 2));
  const result = new Map<string, PodAddress>();
  const holders = new Map<string, { pod: string; subnet: PodSubnet }>();
  for (const pod of pods) {
    const subnet = subnets.get(pod.spec?.nodeName ?? "");
    const stated = pod.status?.podIP;
    if (subnet === undefined || stated === undefined) continue;
    if (!isStatedAddressValid(pod, stated, subnet, report)) continue;
    result.set(keyOf(pod), { ip: stated });
    if (pod.spec?.hostNetwork === true) continue;
    const holder = holders.get(stated);
    if (holder === undefined) holders.set(stated, { pod: keyOf(pod), subnet });
    else if (holder.subnet === subnet || !overlap(holder.subnet.block, subnet.block))
      report(pod, ["status", "podIP"], `${stated} is the address of Pod ${holder.pod} already`);
    allocators.get(subnet.nodeName)?.take(toNumber(stated));
  }
  for (const pod of pods) {
    const subnet = subnets.get(pod.spec?.nodeName ?? "");
    if (subnet === undefined || pod.status?.podIP !== undefined) continue;
    result.set(keyOf(pod), allocateOne(pod, subnet, allocators));
  }
  return result;
}

function allocateOne(pod: Pod, subnet: PodSubnet, allocators: ReadonlyMap<string, NumberRange>): PodAddress {
  if (pod.spec?.hostNetwork === true) return { ip: subnet.internalIP };
  const number = allocators.get(subnet.nodeName)?.takeNext() ?? null;
  if (number !== null) return { ip: toText(number) };
  return { ip: null, message: `no address is left in ${blockText(subnet.block)} of Node ${subnet.nodeName}` };
}

function isStatedAddressValid(pod: Pod, stated: string, subnet: PodSubnet, report: Report): boolean {
  const text = statedAddressFault(pod, stated, subnet);
  if (text !== null) report(pod, ["status", "podIP"], text);
  return text === null;
}

function statedAddressFault(
  pod: Pod,
  stated: string,
  { nodeName, internalIP, block }: PodSubnet,
): string | null {
  if (!isAddress(stated)) return `${show(stated)} is not an IPv4 address`;
  if (pod.spec?.hostNetwork === true)
    return stated === internalIP
      ? null
      : `${stated} is not the address of Node ${nodeName}, ${internalIP}, whose network the pod uses`;
  const number = toNumber(stated);
  if (!contains(block, number)) return `${stated} is outside ${blockText(block)} of Node ${nodeName}`;
  if (number === block.base) return `${stated} is the network address of ${blockText(block)}`;
  if (number === block.base + block.size - 1)
    return `${stated} is the broadcast address of ${blockText(block)}`;
  if (number === block.base + 1) return `${stated} is the address of docker's bridge on Node ${nodeName}`;
  return null;
}
