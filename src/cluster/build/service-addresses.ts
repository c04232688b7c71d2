import type { Service } from "kubernetes-types/core/v1.js";
import { isAddress } from "../objects/address.ts";
import type { Protocol } from "../objects/model.ts";
import { ingressAddresses } from "./load-balancer.ts";

/** One port of a Service, as clients ask for it. */
export interface ServicePortAddress {
  readonly name: string | null;
  readonly port: number;
  readonly protocol: Protocol;
  readonly nodePort: number | null;
}

/** Where a Service is reached; addresses are IPv4 dotted quads. */
export interface ServiceAddresses {
  /** Null for a headless or ExternalName Service. */
  readonly clusterIP: string | null;
  readonly externalIPs: readonly string[];
  readonly ingressIPs: readonly string[];
  readonly ports: readonly ServicePortAddress[];
}

/** What a Service's clients may ask for. */
export function serviceAddresses(service: Service): ServiceAddresses {
  const { clusterIP = "None", externalIPs = [], ports = [], type } = service.spec ?? {};
  return {
    clusterIP: type !== "ExternalName" && isAddress(clusterIP) ? clusterIP : null,
    externalIPs: externalIPs.filter(isAddress),
    ingressIPs: ingressAddresses(service),
    ports: ports.map(({ name, port, protocol = "TCP", nodePort = 0 }) => ({
      name: name ?? null,
      port,
      protocol: protocol as Protocol,
      nodePort: nodePort === 0 ? null : nodePort,
    })),
  };
}
