import fc from "fast-check";
import {
  type ClusterSpec,
  PLAIN_SETTINGS,
  type PodSpec,
  type ServiceSpec,
  type SettingsSpec,
} from "../spec.ts";

/** Bounds of the clusters to be made; each has a small default. */
export interface ClusterConstraints {
  readonly maxNodes?: number;
  readonly maxPods?: number;
  readonly maxServices?: number;
  readonly backends?: readonly ClusterSpec["backend"][];
  /** Also settings under which some traffic fails: hairpin off, br_netfilter off, no masquerade, rp_filter. */
  readonly anySettings?: boolean;
  /** Also pods that are not ready. */
  readonly unreadyPods?: boolean;
}

const APPS = ["a", "b"] as const;

/** A Service of an app; shrinks to a TCP ClusterIP without affinity. */
export const service = (): fc.Arbitrary<ServiceSpec> =>
  fc.record({
    app: fc.constantFrom(...APPS),
    type: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer"),
    externalTrafficPolicy: fc.constantFrom("Cluster", "Local"),
    sessionAffinity: fc.constantFrom("None", "ClientIP"),
    protocol: fc.constantFrom("TCP", "UDP"),
  });

/** A pod on one of so many nodes; shrinks to a ready pod of app `a` on the first. */
export const pod = (nodes: number, unready = false): fc.Arbitrary<PodSpec> =>
  fc.record({
    node: fc.nat({ max: nodes - 1 }),
    app: fc.constantFrom(...APPS),
    ready: unready ? fc.boolean().map((b) => !b) : fc.constant(true),
  });

/** Settings of all nodes; shrinks to {@link PLAIN_SETTINGS}. */
export const settings = (): fc.Arbitrary<SettingsSpec> =>
  fc.record({
    hairpin: fc.constantFrom(true, false),
    bridgeNfCallIptables: fc.constantFrom(true, false),
    ipMasq: fc.constantFrom(true, false),
    rpFilter: fc.constantFrom(0, 1, 2),
  });

/**
 * Clusters of a few nodes, pods and Services, all of which load. They shrink to fewer nodes, pods and Services, plain
 * ones first, so a law that fails is shown on about the smallest cluster that breaks it.
 */
export function cluster(constraints: ClusterConstraints = {}): fc.Arbitrary<ClusterSpec> {
  const {
    maxNodes = 3,
    maxPods = 6,
    maxServices = 2,
    anySettings = false,
    unreadyPods = false,
  } = constraints;
  const backends = constraints.backends ?? ["udp", "vxlan", "host-gw"];
  return fc.integer({ min: 1, max: maxNodes }).chain((nodes) =>
    fc.record({
      nodes: fc.constant(nodes),
      backend: fc.constantFrom(...backends),
      pods: fc.array(pod(nodes, unreadyPods), { minLength: 1, maxLength: maxPods }),
      services: fc.array(service(), { minLength: 1, maxLength: maxServices }),
      settings: anySettings ? settings() : fc.constant(PLAIN_SETTINGS),
    }),
  );
}
