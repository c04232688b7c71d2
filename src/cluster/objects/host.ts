/** Host (podpath.dev/v1alpha1): a machine outside the cluster, a client, a router, an external load balancer. */
import { z } from "zod";
import { listen, mtu, ourMetadata, routes } from "./cluster.ts";
import { address, block, dnsLabel } from "./field.ts";
import { sysctls } from "./sysctl.ts";

/**
 * `address` or `addresses`; every address stands on the segment that holds it, or on the one `segment` names. A host on
 * several segments has one NIC a segment (`eth0`, `eth1`, … in order of the addresses).
 */
export const hostSchema = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: ourMetadata(),
  spec: z.strictObject({
    address: block().optional(),
    addresses: z.array(block()).min(1).optional(),
    segment: dnsLabel().optional(),
    gateway: address().optional(),
    routes: routes().optional(),
    listen: listen().optional(),
    sysctl: sysctls().optional(),
    mtu: mtu().optional(),
  }),
});

/** A Host after validation. */
export type Host = z.infer<typeof hostSchema>;
