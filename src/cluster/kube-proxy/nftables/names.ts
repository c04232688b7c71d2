import { createHash } from "node:crypto";
import type { Endpoint } from "../endpoints.ts";
import type { ServicePort } from "../service-port.ts";

/** Longest name of a chain or set, less the longest prefix (knftables: NameLengthMax 256, chainNamePrefixLengthMax 16). */
const NAME_BASE_MAX = 240;

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The first eight characters of the base32 text of SHA-256: five bytes. */
function hash(text: string): string {
  const bits = createHash("sha256").update(text).digest().readUIntBE(0, 5);
  let encoded = "";
  for (let shift = 35; shift >= 0; shift -= 5) encoded += BASE32[Math.floor(bits / 2 ** shift) % 32];
  return encoded;
}

/** `ULMVA6XW-ns1/svc1/tcp/p80` (pkg/proxy/nftables/proxier.go: hashAndTruncate). */
function hashAndTruncate(name: string): string {
  const full = `${hash(name)}-${name}`;
  return full.length > NAME_BASE_MAX ? `${full.slice(0, NAME_BASE_MAX - 3)}...` : full;
}

/** Chains of a Service port in nftables mode. */
export interface NftPortNames {
  readonly cluster: string;
  readonly local: string;
  readonly external: string;
  readonly firewall: string;
}

const portText = ({ namespace, name, protocol, portName }: ServicePort): string =>
  `${namespace}/${name}/${protocol}/${portName}`;

export function nftPortNames(port: ServicePort): NftPortNames {
  const base = hashAndTruncate(portText(port));
  return {
    cluster: `service-${base}`,
    local: `local-${base}`,
    external: `external-${base}`,
    firewall: `firewall-${base}`,
  };
}

/** What one endpoint of a Service port is called. */
export interface NftEndpointNames {
  /** Its chain. */
  readonly chain: string;
  /** The set of clients that stick to it. */
  readonly affinitySet: string;
}

/** An endpoint belongs to one Service port, and its names are asked for by every rule and every node. */
const endpointNames = new WeakMap<Endpoint, NftEndpointNames>();

export function nftEndpointNames(port: ServicePort, endpoint: Endpoint): NftEndpointNames {
  let names = endpointNames.get(endpoint);
  if (names === undefined) {
    const base = hashAndTruncate(`${portText(port)}__${endpoint.ip}/${endpoint.port}`);
    names = { chain: `endpoint-${base}`, affinitySet: `affinity-${base}` };
    endpointNames.set(endpoint, names);
  }
  return names;
}
