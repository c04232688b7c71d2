/** A Service that is written to a live cluster: defaults, a ClusterIP and node ports, or why the API server refuses it. */
import type { Service } from "kubernetes-types/core/v1.js";
import { defaultService, takesNodePorts } from "../objects/service.ts";
import { inKeyOrder, keyOf, nameOf, namespaceOf, type ObjectStore } from "../objects/store.ts";
import { formatPath, type Path } from "../objects/validate.ts";
import { allocateClusterIPs, type ServiceRange } from "./cluster-ip.ts";
import { drawnServiceNumbers } from "./draws.ts";
import { allocateNodePorts } from "./node-port.ts";

/** The Service as it is kept, or what is wrong with it (`spec.ports[0].nodePort: Invalid value: …`). */
export type Admission = { service: Service } | { refusal: string };

const FIRST_NODE_PORT = 30000;
const LAST_NODE_PORT = 32767;

/** Defaults and allocates; what the Service had before under its name it keeps where it does not say otherwise. */
export function admitService(written: Service, store: ObjectStore, range: ServiceRange): Admission {
  const before = store.services.get(keyOf(written));
  const wanted = withDrawn(withKept(defaultService(written), before), store);
  const outside = nodePortOutside(wanted);
  if (outside !== null) return { refusal: outside };
  const others = inKeyOrder(store.services).filter((one) => keyOf(one) !== keyOf(wanted));
  const refusals: string[] = [];
  const report = (service: object, path: Path, text: string) => {
    const value = path.reduce<unknown>(
      (one, step) => (one as Record<string, unknown> | undefined)?.[step],
      service,
    );
    const shown = typeof value === "number" ? String(value) : JSON.stringify(value);
    refusals.push(`${formatPath(path)}: Invalid value: ${shown}: ${inWordsOf2017(text, path)}`);
  };
  const all = allocateClusterIPs(allocateNodePorts([...others, wanted], report), range, report);
  return refusals.length > 0 ? { refusal: refusals.join(", ") } : { service: all.at(-1)! };
}

/** ipallocator.ErrAllocated, portallocator.ErrAllocated and what validation says. */
function inWordsOf2017(text: string, path: Path): string {
  const isAddress = path.includes("clusterIP");
  if (text.endsWith("already"))
    return isAddress ? "provided IP is already allocated" : "provided port is already allocated";
  if (text.includes("outside")) return "provided IP is not in the valid range";
  if (text.includes("has no node ports")) return "may not be used when `type` is 'ClusterIP'";
  return text;
}

function nodePortOutside({ spec }: Service): string | null {
  for (const [i, { nodePort }] of (spec?.ports ?? []).entries())
    if (nodePort !== undefined && (nodePort < FIRST_NODE_PORT || nodePort > LAST_NODE_PORT))
      return (
        `spec.ports[${i}].nodePort: Invalid value: ${nodePort}: provided port is not in the valid range. ` +
        `The range of valid ports is ${FIRST_NODE_PORT}-${LAST_NODE_PORT}`
      );
  return null;
}

/** The ClusterIP stays; node ports stay with their ports as long as the type has any. */
function withKept(service: Service, before: Service | undefined): Service {
  if (before === undefined) return withoutForbidden(service);
  const { clusterIP } = before.spec ?? {};
  const kept = new Map((before.spec?.ports ?? []).map(({ port, nodePort }) => [port, nodePort]));
  const ports = (service.spec?.ports ?? []).map((one) => {
    const nodePort = one.nodePort ?? kept.get(one.port);
    return nodePort === undefined ? one : { ...one, nodePort };
  });
  const spec = { ...service.spec, ports };
  if (spec.clusterIP === undefined && clusterIP !== undefined && spec.type !== "ExternalName")
    spec.clusterIP = clusterIP;
  return withoutForbidden({ ...service, spec }, before);
}

/** Node ports that were there only because of the type before go with it. */
function withoutForbidden(service: Service, before?: Service): Service {
  if (before === undefined || takesNodePorts(service)) return service;
  const ports = (service.spec?.ports ?? []).map(({ nodePort: _, ...one }) => one);
  return { ...service, spec: { ...service.spec, ports } };
}

/** What the cluster has drawn in advance for the Service. */
function withDrawn(service: Service, store: ObjectStore): Service {
  const { clusterIP, nodePorts } = drawnServiceNumbers(store, namespaceOf(service), nameOf(service));
  const spec = { ...service.spec };
  if (clusterIP !== null) spec.clusterIP ??= clusterIP;
  if (takesNodePorts(service))
    spec.ports = (spec.ports ?? []).map((one, i) =>
      one.nodePort === undefined && nodePorts[i] !== undefined ? { ...one, nodePort: nodePorts[i] } : one,
    );
  return { ...service, spec };
}
