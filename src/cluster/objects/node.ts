/** Node (v1): what of it decides about addresses, scheduling and kube-proxy's zone. */
import type { Node } from "kubernetes-types/core/v1.js";
import { z } from "zod";
import { isAddress, isBlock, isIPv6 } from "./address.ts";
import { metadata, oneOf, show } from "./field.ts";

/** Effects of a taint. */
export const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"] as const;

/** Label that says a node's zone (`k8s.io/api/core/v1: LabelTopologyZone`) and its predecessor. */
const ZONE_LABEL = "topology.kubernetes.io/zone";
const ZONE_LABEL_BETA = "failure-domain.beta.kubernetes.io/zone";

const podCIDR = z.string().refine((text) => isBlock(text) || isIPv6(text), {
  error: ({ input }) => `${show(input)} is not an IPv4 block (ADDRESS/LENGTH)`,
});

export const nodeSchema = z.looseObject({
  metadata: metadata(),
  spec: z
    .looseObject({
      podCIDR: podCIDR.optional(),
      podCIDRs: z.array(podCIDR).optional(),
      unschedulable: z.boolean().optional(),
      taints: z
        .array(z.looseObject({ key: z.string(), value: z.string().optional(), effect: oneOf(TAINT_EFFECTS) }))
        .optional(),
    })
    .optional(),
  status: z
    .looseObject({
      addresses: z.array(z.looseObject({ type: z.string(), address: z.string() })).optional(),
    })
    .superRefine((status, context) => {
      for (const [i, { type, address }] of (status.addresses ?? []).entries()) {
        if (type !== "InternalIP" || isAddress(address) || isIPv6(address)) continue;
        const message = `${show(address)} is not an IPv4 address`;
        context.addIssue({ code: "custom", path: ["addresses", i, "address"], message });
      }
    })
    .optional(),
});

/** The first IPv4 InternalIP and where it stands, or null. */
export function internalAddress(node: Node): { address: string; index: number } | null {
  for (const [index, { type, address }] of (node.status?.addresses ?? []).entries())
    if (type === "InternalIP" && isAddress(address)) return { address, index };
  return null;
}

/** The node's IPv4 pod block as written, and the field it stands in, or null. */
export function podBlock(node: Node): { block: string; path: (string | number)[] } | null {
  const { podCIDR: single, podCIDRs = [] } = node.spec ?? {};
  if (single !== undefined && isBlock(single)) return { block: single, path: ["spec", "podCIDR"] };
  for (const [i, block] of podCIDRs.entries())
    if (isBlock(block)) return { block, path: ["spec", "podCIDRs", i] };
  return null;
}

/** The node's zone, or null. */
export function zoneOf(node: Node | undefined): string | null {
  const labels = node?.metadata?.labels;
  return labels?.[ZONE_LABEL] ?? labels?.[ZONE_LABEL_BETA] ?? null;
}
