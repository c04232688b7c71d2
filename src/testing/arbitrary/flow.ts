import fc from "fast-check";
import type { TraceRequest } from "../../trace/request.ts";
import {
  type ClusterSpec,
  CONTAINER_PORT,
  nodeIPOf,
  nodePortOf,
  OUTSIDE,
  podName,
  SERVICE_PORT,
  serviceName,
} from "../spec.ts";

/** A question that can be asked of a cluster: somebody in it, or outside, to a Service, node port or pod of it. */
export function flow(spec: ClusterSpec): fc.Arbitrary<TraceRequest> {
  return fc
    .record({ from: source(spec), target: fc.constantFrom(...targets(spec)) })
    .map(({ from, target }) => ({ from, ...target }));
}

const source = ({ pods, nodes }: ClusterSpec): fc.Arbitrary<string> =>
  fc.constantFrom(
    ...pods.map((_, i) => `pod/${podName(i)}`),
    ...Array.from({ length: nodes }, (_, i) => `node/node${i + 1}`),
    `host/${OUTSIDE}`,
  );

function targets(spec: ClusterSpec): Pick<TraceRequest, "to" | "protocol">[] {
  const pods = spec.pods.flatMap((_, i) => [
    { to: `pod/${podName(i)}:${CONTAINER_PORT}`, protocol: "tcp" as const },
    { to: `pod/${podName(i)}:${CONTAINER_PORT}`, protocol: "udp" as const },
    { to: `pod/${podName(i)}`, protocol: "icmp" as const },
  ]);
  const services = spec.services.flatMap((service, i) => {
    const protocol = service.protocol === "TCP" ? ("tcp" as const) : ("udp" as const);
    const cluster = [{ to: `svc/${serviceName(i)}:${SERVICE_PORT}`, protocol }];
    if (service.type === "ClusterIP") return cluster;
    return [
      ...cluster,
      ...Array.from({ length: spec.nodes }, (_, node) => ({
        to: `${nodeIPOf(node)}:${nodePortOf(i)}`,
        protocol,
      })),
    ];
  });
  return [...pods, ...services];
}
