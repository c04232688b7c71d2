/** EndpointSlice (discovery.k8s.io/v1). */
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { z } from "zod";
import { isAddress } from "./address.ts";
import { metadata, oneOf, port, protocol, show } from "./field.ts";

/** Label that names the Service a slice belongs to (`discovery.LabelServiceName`). */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

const endpoint = z.looseObject({
  addresses: z
    .array(
      z.string().refine((text) => isAddress(text) || !/^[\d.]+$/.test(text), {
        error: ({ input }) => `${show(input)} is not an IPv4 address`,
      }),
    )
    .min(1),
  conditions: z
    .looseObject({
      ready: z.boolean().optional(),
      serving: z.boolean().optional(),
      terminating: z.boolean().optional(),
    })
    .optional(),
  nodeName: z.string().optional(),
  zone: z.string().optional(),
  hints: z.looseObject({ forZones: z.array(z.looseObject({ name: z.string() })).optional() }).optional(),
});

export const endpointSliceSchema = z
  .looseObject({
    metadata: metadata(),
    addressType: oneOf(["IPv4", "IPv6", "FQDN"]),
    endpoints: z.array(endpoint).optional(),
    ports: z
      .array(
        z.looseObject({
          name: z.string().optional(),
          port: port().optional(),
          protocol: protocol().optional(),
        }),
      )
      .optional(),
  })
  .superRefine((slice, context) => {
    if (slice.addressType !== "IPv4") return;
    for (const [i, { addresses }] of (slice.endpoints ?? []).entries())
      for (const [j, address] of addresses.entries())
        if (!isAddress(address) && !/^[\d.]+$/.test(address))
          context.addIssue({
            code: "custom",
            path: ["endpoints", i, "addresses", j],
            message: `${show(address)} is not an IPv4 address`,
          });
  });

/**
 * The slice with the API server's defaults (`pkg/apis/discovery/v1/defaults.go`): a port without a name is named "",
 * without a protocol it is TCP.
 */
export function defaultEndpointSlice(slice: EndpointSlice): EndpointSlice {
  const ports = (slice.ports ?? []).map((one) => ({
    ...one,
    name: one.name ?? "",
    protocol: one.protocol ?? "TCP",
  }));
  return { ...slice, endpoints: slice.endpoints ?? [], ports };
}
