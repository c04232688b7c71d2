/** L2 segments: those a Cluster states, or the one that joins everything. */
import {
  type Block,
  blockAround,
  blockText,
  contains,
  overlap,
  toBlock,
  toNumber,
} from "../../cluster/objects/address.ts";
import type { Segment } from "../../cluster/objects/cluster.ts";
import type { Host } from "../../cluster/objects/host.ts";
import { internalAddress } from "../../cluster/objects/node.ts";
import { inKeyOrder } from "../../cluster/objects/store.ts";
import type { Path } from "../../cluster/objects/validate.ts";
import type { Context } from "./context.ts";

/** A segment. `isImplied` marks the default one, on which a host of any subnet may stand. */
export interface SegmentPlan {
  name: string;
  block: Block;
  gateway: string | null;
  isImplied: boolean;
}

const DEFAULT_SUBNET = "10.1.96.0/24";
const DEFAULT_NAME = "lan";

/** Every address of a host as written, with the field it stands in. */
export function addressesOf(host: Host): { text: string; path: Path }[] {
  const { address, addresses = [] } = host.spec;
  const first = address === undefined ? [] : [{ text: address, path: ["spec", "address"] }];
  return [...first, ...addresses.map((text, i) => ({ text, path: ["spec", "addresses", i] }))];
}

/**
 * The segments. The implied one is `lan`; its subnet is that of the host which the first node's address lies in, else a
 * /24 around that address, else the first host's. A segment without `gateway` has the one that all its hosts with a
 * gateway name.
 */
export function resolveSegments(context: Context): SegmentPlan[] {
  const stated = context.objects.cluster?.spec?.segments;
  const plans = stated === undefined ? [impliedSegment(context)] : statedSegments(stated, context);
  for (const plan of plans) plan.gateway ??= commonGateway(plan, context);
  return plans;
}

function statedSegments(segments: readonly Segment[], { objects, report }: Context): SegmentPlan[] {
  const plans: SegmentPlan[] = [];
  for (const [i, { name, subnet, gateway = null }] of segments.entries()) {
    const block = toBlock(subnet);
    const fault = (field: string, text: string) => {
      if (objects.cluster !== null) report(objects.cluster, ["spec", "segments", i, field], text);
    };
    if (plans.some((plan) => plan.name === name)) fault("name", `a second segment "${name}"`);
    const clash = plans.find((plan) => overlap(plan.block, block));
    if (clash !== undefined)
      fault("subnet", `${blockText(block)} overlaps segment ${clash.name}, ${blockText(clash.block)}`);
    if (gateway !== null && !isHostAddress(block, toNumber(gateway)))
      fault("gateway", `${gateway} is no host's address in ${blockText(block)}`);
    plans.push({ name, block, gateway, isImplied: false });
  }
  return plans;
}

function impliedSegment({ objects }: Context): SegmentPlan {
  const blocks = [...objects.hosts.keys()]
    .sort()
    .flatMap((name) => addressesOf(objects.hosts.get(name)!).map(({ text }) => toBlock(text)));
  const [node] = inKeyOrder(objects.store.nodes).flatMap((one) => internalAddress(one)?.address ?? []);
  const block =
    node === undefined
      ? (blocks[0] ?? toBlock(DEFAULT_SUBNET))
      : (blocks.find((one) => contains(one, toNumber(node))) ?? blockAround(toNumber(node), 24));
  return { name: DEFAULT_NAME, block, gateway: null, isImplied: true };
}

function commonGateway(plan: SegmentPlan, { objects }: Context): string | null {
  const gateways = new Set<string>();
  for (const { spec } of objects.hosts.values())
    if (spec.gateway !== undefined && contains(plan.block, toNumber(spec.gateway)))
      gateways.add(spec.gateway);
  const [only] = gateways;
  return gateways.size === 1 && only !== undefined ? only : null;
}

/** True for an address of the block that a machine may have: neither the network's nor broadcast (RFC 3021 excepts /31, /32). */
export function isHostAddress(block: Block, address: number): boolean {
  if (!contains(block, address)) return false;
  return block.length >= 31 || (address !== block.base && address !== block.base + block.size - 1);
}

/** `lan 10.1.96.0/24, dmz 10.2.0.0/24`. */
export function describe(plans: readonly SegmentPlan[]): string {
  return plans.map(({ name, block }) => `${name} ${blockText(block)}`).join(", ");
}
