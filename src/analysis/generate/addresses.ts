import { blockAround, blockText, toNumber, toText } from "../../cluster/objects/address.ts";
import { type GeneratePlan, PlanError } from "./plan.ts";

/** Which block is whose: everything lies in private ranges and nothing overlaps. Numbers are unsigned 32-bit. */
export interface AddressPlan {
  /** flannel's network and the length of a node's part of it. */
  readonly podNetwork: string;
  readonly subnetLen: number;
  readonly serviceCIDR: string;
  /** The segment of nodes and hosts. */
  readonly lan: string;
  readonly gateway: string;
  /** An outside machine, with the segment's prefix length. */
  readonly client: string;
  node(i: number): string;
  podCIDR(node: number): string;
  /** The `slot`-th pod of a node. */
  pod(node: number, slot: number): string;
  service(i: number): string;
}

const PODS = toNumber("10.0.0.0");
const SERVICES = toNumber("10.192.0.0");
const LAN = toNumber("172.16.0.0");

/** Addresses of a node's subnet that no pod gets: the network's, docker0's, broadcast. */
const RESERVED = 3;
/** First service address handed out: below it is the API server's and what users choose. */
const SERVICE_OFFSET = 257;
const NODE_OFFSET = 11;

/** The least prefix length, not above `longest`, whose block holds that many addresses. */
function lengthFor(addresses: number, longest: number): number {
  return Math.min(longest, 32 - Math.ceil(Math.log2(addresses)));
}

/** Lays a plan's addresses out. Throws {@link PlanError} where the private ranges are too small. */
export function addressPlan({ nodes, pods, services }: GeneratePlan): AddressPlan {
  const subnetLen = lengthFor(Math.ceil(pods / nodes) + RESERVED, 24);
  const subnetSize = 2 ** (32 - subnetLen);
  const podLength = lengthFor((nodes + 2) * subnetSize, 16);
  if (podLength < 9)
    throw new PlanError(`pods: ${nodes} nodes with a /${subnetLen} each do not fit into 10.0.0.0/9`);
  const serviceLength = lengthFor(services + SERVICE_OFFSET + 1, 16);
  if (serviceLength < 10) throw new PlanError(`services: ${services} do not fit into 10.192.0.0/10`);
  const lanLength = lengthFor(nodes + NODE_OFFSET + 1, 24);
  if (lanLength < 12) throw new PlanError(`nodes: ${nodes} do not fit into 172.16.0.0/12`);
  const firstSubnet = PODS + subnetSize;
  return {
    podNetwork: blockText(blockAround(PODS, podLength)),
    subnetLen,
    serviceCIDR: blockText(blockAround(SERVICES, serviceLength)),
    lan: blockText(blockAround(LAN, lanLength)),
    gateway: toText(LAN + 1),
    client: `${toText(LAN + 10)}/${lanLength}`,
    node: (i) => toText(LAN + NODE_OFFSET + i),
    podCIDR: (node) => `${toText(firstSubnet + node * subnetSize)}/${subnetLen}`,
    pod: (node, slot) => toText(firstSubnet + node * subnetSize + 2 + slot),
    service: (i) => toText(SERVICES + SERVICE_OFFSET + i),
  };
}
