/** Cluster (podpath.dev/v1alpha1): what Kubernetes objects do not say about a cluster. Every field is optional. */
import { z } from "zod";
import {
  address,
  block,
  dnsLabel,
  dnsSubdomain,
  integer,
  oneOf,
  port,
  protocol,
  stringMap,
} from "./field.ts";
import { flannelSchema } from "./flannel.ts";
import { sysctls } from "./sysctl.ts";

/** Name of a network device: at most 15 characters (`IFNAMSIZ`). */
const deviceName = () =>
  z
    .string()
    .refine((text) => /^[^\s/:%]{1,15}$/.test(text) && text !== "." && text !== "..", {
      error: ({ input }) =>
        `"${String(input)}" is not a device name (at most 15 characters, no blanks, "/", ":" or "%")`,
    })
    .meta({ pattern: "^[^\\s/:%]{1,15}$" });

/** The least an IPv4 device may have (`include/net/ip.h: IPV4_MIN_MTU`) and the most Ethernet drivers take. */
export const mtu = () => integer(68, 65535);

/** Ports somebody listens on: numbers (TCP) or `{port, protocol}`. */
export const listen = () =>
  z.array(
    z.union([port(), z.strictObject({ port: port(), protocol: protocol().optional() })], {
      error: ({ input }) =>
        typeof input === "number"
          ? `${input} is outside 1-65535`
          : "expected a port or {port, protocol: TCP | UDP | SCTP}",
    }),
  );

/** Static routes: a destination block, and the next hop. */
export const routes = () => z.array(z.strictObject({ to: block(), via: address() }));

/** Metadata of podpath's own kinds. */
export const ourMetadata = () =>
  z.strictObject({
    name: dnsSubdomain(),
    labels: stringMap().exactOptional(),
    annotations: stringMap().exactOptional(),
  });

const node = z.strictObject({
  nic: z.strictObject({ name: deviceName().optional(), mtu: mtu().optional() }).optional(),
  docker: z
    .strictObject({
      bridge: deviceName().optional(),
      ipMasq: z.boolean().optional(),
      iptables: z.boolean().optional(),
      hairpin: z.boolean().optional(),
      forwardPolicy: oneOf(["ACCEPT", "DROP"]).optional(),
      mtu: mtu().optional(),
    })
    .optional(),
  sysctl: sysctls().optional(),
  gateway: address().optional(),
  routes: routes().optional(),
  listen: listen().optional(),
  iptables: z.string().optional(),
  iptablesLegacy: z.string().optional(),
  flannel: z.strictObject({ publicIP: address().optional(), lease: z.boolean().optional() }).optional(),
});

/**
 * Settings of a node: of all (`spec.node`) or of one (`spec.nodes.NAME`). `gateway` is its default route where that is not
 * the segment's; `routes` are static ones beside it; `listen` are the ports of processes in the node's own namespace (the
 * kubelet's 10250 unless stated). `iptables` is what an administrator loads with `iptables-restore --noflush` once
 * docker, flannel, kubelet and kube-proxy have put their rules in; `iptablesLegacy` is what iptables-legacy holds beside
 * those, where everybody else uses iptables-nft. `flannel.publicIP` is flanneld's `--public-ip`: what
 * the node's lease tells the others (the node's InternalIP unless stated); `flannel.lease: false`: that lease has run
 * out, so the others have forgotten it, while the node itself goes on as before.
 */
export type NodeSettings = z.infer<typeof node>;

const segment = z.strictObject({ name: dnsLabel(), subnet: block(), gateway: address().optional() });

export const clusterSchema = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: ourMetadata(),
  spec: z
    .strictObject({
      serviceCIDR: block().optional(),
      flannel: flannelSchema.optional(),
      kubeProxy: z
        .strictObject({
          version: oneOf(["1.32", "1.7"]).optional(),
          nfacct: z.boolean().optional(),
          conntrackCleanup: z.boolean().optional(),
        })
        .optional(),
      node: node.optional(),
      nodes: z.record(z.string(), node).optional(),
      segments: z.array(segment).min(1).optional(),
    })
    .optional(),
});

/** A Cluster after validation. */
export type Cluster = z.infer<typeof clusterSchema>;
/** A segment as a Cluster writes it. */
export type Segment = z.infer<typeof segment>;
