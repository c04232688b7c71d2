/**
 * The API server's allocator of node ports, health-check node ports among them: stated ones are kept, the others get the
 * first free port of 30000-32767 above the band for ports that users choose (`portallocator: calculateRangeOffset`), in
 * order of namespace and name. A Service that has its ClusterIP has been to the API server: if it states no health-check
 * node port, it has none.
 */
import type { Service, ServicePort } from "kubernetes-types/core/v1.js";
import { needsHealthCheck, takesNodePorts } from "../objects/service.ts";
import { keyOf, type Report } from "../objects/store.ts";
import { NumberRange } from "./free-number.ts";

/** `--service-node-port-range` of the API server. */
const FIRST = 30000;
const LAST = 32767;
/** Size of the band kept for static ports: a 32nd of the range, within 16 and 128. */
const STATIC_BAND = Math.min(128, Math.max(16, Math.floor((LAST - FIRST + 1) / 32)));

/** The Services with node ports. Reports a port that two Services want, or one twice, or that the type does not allow. */
export function allocateNodePorts(services: readonly Service[], report: Report): Service[] {
  const ports = new NumberRange(FIRST, LAST, FIRST + STATIC_BAND);
  const holders = new Map<number, string>();
  for (const service of services) takeStated(service, ports, holders, report);
  return services.map((service) => allocateOne(service, ports, report));
}

function takeStated(
  service: Service,
  ports: NumberRange,
  holders: Map<number, string>,
  report: Report,
): void {
  const { type = "ClusterIP", ports: servicePorts = [], healthCheckNodePort } = service.spec ?? {};
  const own = new Set<string>();
  for (const [i, { nodePort, protocol = "TCP" }] of servicePorts.entries()) {
    if (nodePort === undefined) continue;
    const path = ["spec", "ports", i, "nodePort"];
    const holder = holders.get(nodePort);
    if (type === "ClusterIP" || type === "ExternalName")
      report(service, path, `a Service of type ${type} has no node ports`);
    else if (holder !== undefined && holder !== keyOf(service))
      report(service, path, `${nodePort} is a node port of Service ${holder} already`);
    else if (own.has(`${protocol}/${nodePort}`))
      report(service, path, `${nodePort}/${protocol} stands in this Service already`);
    own.add(`${protocol}/${nodePort}`);
    holders.set(nodePort, holder ?? keyOf(service));
    ports.take(nodePort);
  }
  if (healthCheckNodePort === undefined || healthCheckNodePort === 0) return;
  const holder = holders.get(healthCheckNodePort);
  if (holder !== undefined)
    report(
      service,
      ["spec", "healthCheckNodePort"],
      `${healthCheckNodePort} is a node port of Service ${holder} already`,
    );
  holders.set(healthCheckNodePort, holder ?? keyOf(service));
  ports.take(healthCheckNodePort);
}

function allocateOne(service: Service, range: NumberRange, report: Report): Service {
  let result = service;
  const take = (path: (string | number)[]): number => {
    const port = range.takeNext();
    if (port === null) report(service, path, `no node port is left in ${FIRST}-${LAST}`);
    return port ?? FIRST;
  };
  if (takesNodePorts(service)) {
    const byPort = new Map<number, number>();
    const stated = service.spec?.ports ?? [];
    for (const { port, nodePort } of stated) if (nodePort !== undefined) byPort.set(port, nodePort);
    const ports = stated.map((one, i) =>
      withNodePort(one, byPort, () => take(["spec", "ports", i, "nodePort"])),
    );
    result = { ...service, spec: { ...service.spec, ports } };
  }
  if (needsHealthCheck(service) && !service.spec?.healthCheckNodePort && !service.spec?.clusterIP) {
    const healthCheckNodePort = take(["spec", "healthCheckNodePort"]);
    result = { ...result, spec: { ...result.spec, healthCheckNodePort } };
  }
  return result;
}

/** One port number under two protocols shares its node port (`storage/alloc.go: initNodePorts`). */
function withNodePort(one: ServicePort, byPort: Map<number, number>, take: () => number): ServicePort {
  if (one.nodePort !== undefined) return one;
  const nodePort = byPort.get(one.port) ?? take();
  byPort.set(one.port, nodePort);
  return { ...one, nodePort };
}
