import { createHash } from "node:crypto";

/** `namespace/name`, with `:portName` where the port has a name (pkg/proxy/types.go: ServicePortName.String). */
export function servicePortNameString(namespace: string, name: string, portName: string): string {
  return portName === "" ? `${namespace}/${name}` : `${namespace}/${name}:${portName}`;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The first 16 characters of the base32 text of SHA-256: ten bytes, so that a chain's name stays below 29 characters. */
export function chainHash(text: string): string {
  const digest = createHash("sha256").update(text).digest();
  let encoded = "";
  for (let group = 0; group < 10; group += 5) {
    const high = digest.readUIntBE(group, 5);
    for (let shift = 35; shift >= 0; shift -= 5) encoded += BASE32[Math.floor(high / 2 ** shift) % 32];
  }
  return encoded;
}

/** The chains of one Service port; all but KUBE-SEP share one hash. `protocol` is in lower case. */
export interface ServicePortChainNames {
  /** KUBE-SVC: the endpoints of traffic policy Cluster. */
  readonly clusterPolicy: string;
  /** KUBE-SVL: the endpoints of traffic policy Local. */
  readonly localPolicy: string;
  /** KUBE-FW: the load balancer's source ranges. */
  readonly firewall: string;
  /** KUBE-EXT: traffic to NodePorts, external and load-balancer addresses. */
  readonly external: string;
}

/** Names of the chains of a Service port (pkg/proxy/iptables/proxier.go: servicePortPolicyClusterChain and its kin). */
export function servicePortChainNames(servicePortName: string, protocol: string): ServicePortChainNames {
  const hash = chainHash(servicePortName + protocol);
  return {
    clusterPolicy: `KUBE-SVC-${hash}`,
    localPolicy: `KUBE-SVL-${hash}`,
    firewall: `KUBE-FW-${hash}`,
    external: `KUBE-EXT-${hash}`,
  };
}

/** Name of the chain of one endpoint (`ip:port`) of a Service port. */
export function endpointChainName(servicePortName: string, protocol: string, endpoint: string): string {
  return `KUBE-SEP-${chainHash(servicePortName + protocol + endpoint)}`;
}
