/**
 * podpath/testing: property-based tests of a network that is yet to be built. fast-check makes the clusters, flows and
 * histories; the laws say what must hold; vitest matchers say it of one cluster. Needs fast-check (and vitest for the
 * matchers) in the project that imports it.
 *
 * @example
 * ```ts
 * import fc from "fast-check";
 * import { buildCluster, cluster, everyReadyEndpointReachable } from "podpath/testing";
 *
 * fc.assert(fc.property(cluster(), (spec) => everyReadyEndpointReachable(buildCluster(spec))));
 * ```
 */
export { type ClusterConstraints, cluster, pod, service, settings } from "./arbitrary/cluster.ts";
export { flow } from "./arbitrary/flow.ts";
export { packet } from "./arbitrary/packet.ts";
export { history, LiveCluster, type Operation, zeroLossDuring } from "./history.ts";
export { assertInWorkers, type CheckOptions, checkInWorkers, type PropertyPlace } from "./in-workers.ts";
export { compiledEqualsWalked } from "./law/compiled.ts";
export { everyReadyEndpointReachable, loadIsUniform } from "./law/endpoints.ts";
export { LawBroken } from "./law/law.ts";
export { natIsInvertible, noPacketLoops, sourcePreservedUnderLocalPolicy } from "./law/translation.ts";
export { type DropPlace, type PodpathMatchers, podpathMatchers } from "./matchers.ts";
export { type BuildOptions, buildCluster, topologyText } from "./small-cluster.ts";
export {
  type ClusterSpec,
  PLAIN_SETTINGS,
  type PodSpec,
  type ServiceSpec,
  type SettingsSpec,
  toDocuments,
} from "./spec.ts";
