/** Which node a pod stands on that says its address, but not its node. */
import type { Pod } from "kubernetes-types/core/v1.js";
import { isAddress, toBlock, toNumber } from "../../cluster/objects/address.ts";
import type { NodeModel } from "../../cluster/objects/model.ts";
import type { Context } from "./context.ts";

/** Nodes by their own address, and by their pod subnets in ascending order. */
export interface PodHomes {
  byAddress: ReadonlyMap<string, string>;
  bySubnet: readonly { base: number; end: number; name: string }[];
}

/** Where pods may live. */
export function podHomes(nodes: readonly NodeModel[]): PodHomes {
  const bySubnet = nodes.map(({ name, podCIDR }) => {
    const { base, size } = toBlock(podCIDR);
    return { name, base, end: base + size };
  });
  return {
    byAddress: new Map(nodes.map(({ name, internalIP }) => [internalIP, name])),
    bySubnet: bySubnet.sort((a, b) => a.base - b.base),
  };
}

/**
 * The pod, bound to the node whose subnet (or own address, with hostNetwork) its `podIP` is. Of a dual-stack pod the IPv4
 * address counts. Reports an address that is no node's.
 */
export function bindByAddress(stated: Pod, homes: PodHomes, context: Context): Pod {
  const pod = withIPv4(stated);
  const podIP = pod.status?.podIP;
  if (pod.spec === undefined || pod.spec.nodeName !== undefined) return pod;
  if (podIP === undefined || !isAddress(podIP)) return pod;
  const home =
    pod.spec.hostNetwork === true ? homes.byAddress.get(podIP) : subnetHome(toNumber(podIP), homes);
  if (home !== undefined) return { ...pod, spec: { ...pod.spec, nodeName: home } };
  if (![...context.objects.broken].some((key) => key.startsWith("Node/")))
    context.report(pod, ["status", "podIP"], `${podIP} lies in no Node's podCIDR`);
  return withoutAddress(pod);
}

function withIPv4(pod: Pod): Pod {
  const { podIP, podIPs = [] } = pod.status ?? {};
  if (podIP === undefined || !podIP.includes(":")) return pod;
  const other = podIPs.find(({ ip }) => ip !== undefined && isAddress(ip))?.ip;
  return other === undefined ? withoutAddress(pod) : { ...pod, status: { ...pod.status, podIP: other } };
}

function withoutAddress(pod: Pod): Pod {
  const { podIP: _, ...status } = pod.status ?? {};
  return { ...pod, status };
}

function subnetHome(address: number, { bySubnet }: PodHomes): string | undefined {
  let low = 0;
  let high = bySubnet.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const subnet = bySubnet[middle]!;
    if (address < subnet.base) high = middle - 1;
    else if (address >= subnet.end) low = middle + 1;
    else return subnet.name;
  }
  return undefined;
}
