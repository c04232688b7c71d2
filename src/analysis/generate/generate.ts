/**
 * A synthetic cluster of any size, as Kubernetes YAML. Text comes in pieces, so that a cluster of 150,000 pods needs no
 * more memory than its list of Services. One object a line, in Lists of at most {@link LIST_LENGTH}.
 */
import { SeededChooser } from "../../linux/chooser.ts";
import { type AddressPlan, addressPlan } from "./addresses.ts";
import { podNames } from "./names.ts";
import { checkPlan, type GeneratePlan } from "./plan.ts";
import { type PlannedService, planWorkloads, shuffled, type Workload } from "./workloads.ts";

/** A document is parsed as a whole: short ones keep a reader's memory small. */
const LIST_LENGTH = 500;

/**
 * The topology of a plan, in pieces of text that together are its YAML documents.
 *
 * Nodes carry a zone and a podCIDR, pods their node, address and labels, Services their cluster IP and a selector, from
 * which endpoints follow. Throws {@link import("./plan.ts").PlanError} at the first piece when nothing can fulfil it.
 */
export function* generateTopology(plan: GeneratePlan): Generator<string, void, undefined> {
  checkPlan(plan);
  const addresses = addressPlan(plan);
  const chooser = new SeededChooser(plan.seed);
  const { services, workloads } = planWorkloads(plan, chooser);
  yield header(plan, addresses);
  yield* lists(nodeLines(plan, addresses));
  yield* lists(services.map((service, i) => serviceLine(service, addresses.service(i))));
  yield* lists(podLines(plan, workloads, addresses, chooser));
}

function header(plan: GeneratePlan, addresses: AddressPlan): string {
  return `# ${plan.nodes} nodes, ${plan.pods} pods, ${plan.services} Services with ${plan.endpointsPerService} endpoints in the mean; seed ${plan.seed}
apiVersion: podpath.dev/v1alpha1
kind: Cluster
metadata: {name: generated}
spec:
  serviceCIDR: ${addresses.serviceCIDR}
  flannel:
    Network: ${addresses.podNetwork}
    SubnetLen: ${addresses.subnetLen}
    Backend: {Type: ${plan.backend}}
  segments:
  - {name: lan, subnet: ${addresses.lan}, gateway: ${addresses.gateway}}
---
apiVersion: podpath.dev/v1alpha1
kind: Host
metadata: {name: gateway}
spec: {address: ${addresses.gateway}/${addresses.lan.split("/")[1]}, sysctl: {net.ipv4.ip_forward: 1}}
---
apiVersion: podpath.dev/v1alpha1
kind: Host
metadata: {name: outside}
spec: {address: ${addresses.client}, gateway: ${addresses.gateway}}
`;
}

/** Items of Lists, each already a line. */
function* lists(lines: Iterable<string>): Generator<string, void, undefined> {
  let items: string[] = [];
  const flush = (): string => `---\napiVersion: v1\nkind: List\nitems:\n${items.join("")}`;
  for (const line of lines) {
    items.push(`- ${line}\n`);
    if (items.length < LIST_LENGTH) continue;
    yield flush();
    items = [];
  }
  if (items.length > 0) yield flush();
}

const zoneName = (zone: number): string =>
  `zone-${String.fromCharCode(97 + (zone % 26))}${zone < 26 ? "" : Math.floor(zone / 26)}`;

function nodeName(i: number, nodes: number): string {
  return `node-${String(i + 1).padStart(String(nodes).length, "0")}`;
}

function* nodeLines(
  { nodes, zones }: GeneratePlan,
  addresses: AddressPlan,
): Generator<string, void, undefined> {
  for (let i = 0; i < nodes; i++) {
    const name = nodeName(i, nodes);
    const labels = `{kubernetes.io/hostname: ${name}, topology.kubernetes.io/zone: ${zoneName(i % zones)}}`;
    yield `{apiVersion: v1, kind: Node, metadata: {name: ${name}, labels: ${labels}}, spec: {podCIDR: ${addresses.podCIDR(i)}}, status: {addresses: [{type: InternalIP, address: ${addresses.node(i)}}]}}`;
  }
}

function serviceLine(service: PlannedService, clusterIP: string): string {
  const { namespace, name, role, workload, nodePort, localPolicy, affinity } = service;
  const policy = !localPolicy
    ? ""
    : nodePort === 0
      ? ", internalTrafficPolicy: Local"
      : ", externalTrafficPolicy: Local";
  const node = nodePort === 0 ? "" : `, nodePort: ${nodePort}`;
  const type = nodePort === 0 ? "ClusterIP" : "NodePort";
  const port = `{name: ${role.name}, port: ${role.port}, targetPort: ${role.targetPort}, protocol: ${role.protocol}${node}}`;
  return `{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: ${namespace}}, spec: {type: ${type}, clusterIP: ${clusterIP}, selector: {app: ${workload.app}}, ports: [${port}]${policy}${affinity ? ", sessionAffinity: ClientIP" : ""}}}`;
}

/** Pods in the order of their workloads; consecutive ones stand on different nodes, as a scheduler spreads them. */
function* podLines(
  { nodes }: GeneratePlan,
  workloads: readonly Workload[],
  addresses: AddressPlan,
  chooser: SeededChooser,
): Generator<string, void, undefined> {
  const order = shuffled(nodes, chooser);
  let placed = 0;
  for (const { namespace, app, pods, role } of workloads) {
    const nameOf = podNames(app, chooser);
    const container =
      role === null
        ? "{name: client, image: busybox:1.36}"
        : `{name: ${role.name}, image: "${role.image}", ports: [{containerPort: ${role.targetPort}, protocol: ${role.protocol}}]}`;
    for (let i = 0; i < pods; i++, placed++) {
      const node = order[placed % nodes]!;
      const ip = addresses.pod(node, Math.floor(placed / nodes));
      yield `{apiVersion: v1, kind: Pod, metadata: {name: ${nameOf(i)}, namespace: ${namespace}, labels: {app: ${app}}}, spec: {nodeName: ${nodeName(node, nodes)}, containers: [${container}]}, status: {podIP: ${ip}}}`;
    }
  }
}
