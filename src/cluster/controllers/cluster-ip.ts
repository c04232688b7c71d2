/**
 * The API server's allocator of ClusterIPs: stated ones are kept, the others get the first free address, in order of
 * namespace and name. Like the real one it leaves a band at the start of the range to addresses that users choose
 * (`pkg/registry/core/service/ipallocator: calculateRangeOffset`), and the very first to `default/kubernetes`.
 */
import type { Service } from "kubernetes-types/core/v1.js";
import { type Block, blockText, contains, isAddress, toNumber, toText } from "../objects/address.ts";
import { isExternalName } from "../objects/service.ts";
import { keyOf, type Report } from "../objects/store.ts";
import { NumberRange } from "./free-number.ts";

/** The range of ClusterIPs. `stated` is false when nobody said which it is: addresses outside are then no fault. */
export interface ServiceRange {
  block: Block;
  stated: boolean;
  /** Blocks inside the range that are the nodes' pod subnets: nothing is handed out of them. */
  podBlocks: readonly Block[];
}

/** The Services with ClusterIPs. Reports a ClusterIP that is outside the range or another's, and a full range. */
export function allocateClusterIPs(
  services: readonly Service[],
  range: ServiceRange,
  report: Report,
): Service[] {
  const { block } = range;
  const first = block.base + 1;
  const gaps = range.podBlocks.map(({ base, size }) => ({ first: base, last: base + size - 1 }));
  const addresses = new NumberRange(first, block.base + block.size - 2, first + staticBand(block), gaps);
  const holders = new Map<number, string>();
  for (const service of services) {
    const clusterIP = service.spec?.clusterIP ?? "";
    if (!isAddress(clusterIP)) continue;
    const number = toNumber(clusterIP);
    const holder = holders.get(number);
    const path = ["spec", "clusterIP"];
    if (range.stated && !contains(block, number))
      report(service, path, `${clusterIP} is outside the serviceCIDR ${blockText(block)}`);
    else if (holder !== undefined)
      report(service, path, `${clusterIP} is the ClusterIP of Service ${holder} already`);
    holders.set(number, holder ?? keyOf(service));
    addresses.take(number);
  }
  return services.map((service) => allocateOne(service, range, addresses, report));
}

function allocateOne(
  service: Service,
  { block }: ServiceRange,
  addresses: NumberRange,
  report: Report,
): Service {
  const { clusterIP } = service.spec ?? {};
  if (isExternalName(service)) return service;
  if (clusterIP !== undefined) return withClusterIP(service, clusterIP);
  const first = block.base + 1;
  const isApiServer = keyOf(service) === "default/kubernetes" && addresses.take(first);
  const number = isApiServer ? first : addresses.takeNext();
  if (number === null) {
    report(service, ["spec", "clusterIP"], `no address is left in the serviceCIDR ${blockText(block)}`);
    return service;
  }
  return withClusterIP(service, toText(number));
}

function withClusterIP(service: Service, clusterIP: string): Service {
  const clusterIPs = service.spec?.clusterIPs ?? [clusterIP];
  return { ...service, spec: { ...service.spec, clusterIP, clusterIPs } };
}

function staticBand({ size }: Block): number {
  const hosts = size - 2;
  return hosts <= 16 ? 0 : Math.min(256, Math.max(16, Math.floor(hosts / 16)));
}
