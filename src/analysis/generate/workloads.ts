import type { Chooser } from "../../linux/chooser.ts";
import { clientNamespace, type Role, type ServiceName, serviceName } from "./names.ts";
import { type GeneratePlan, NODE_PORT_COUNT, NODE_PORT_FIRST, shareOf } from "./plan.ts";
import { endpointCounts } from "./sizes.ts";

/** Pods that are alike: label `app`, behind the Services that select it. */
export interface Workload {
  readonly namespace: string;
  readonly app: string;
  readonly pods: number;
  /** Null for clients, which listen on nothing. */
  readonly role: Role | null;
}

export interface PlannedService extends ServiceName {
  /** The workload it selects; in the same namespace, as selectors have it. */
  readonly workload: Workload;
  /** 0: none. */
  readonly nodePort: number;
  readonly localPolicy: boolean;
  readonly affinity: boolean;
}

const CLIENTS_A_WORKLOAD = 50;

/**
 * The Services of a plan and the pods behind them. Services have pods of their own while there are pods; later ones
 * select the pods of an earlier Service of about their size, as a second port of it does. Pods that are left are clients.
 */
export function planWorkloads(
  plan: GeneratePlan,
  chooser: Chooser,
): { readonly services: readonly PlannedService[]; readonly workloads: readonly Workload[] } {
  const counts = endpointCounts(plan.services, plan.endpointsPerService, plan.pods);
  const workloads: Workload[] = [];
  const order = shuffled(plan.services, chooser);
  const withNodePort = chosen(shareOf(plan.nodePorts, plan.services), order);
  const local = chosen(shareOf(plan.localPolicy, plan.services), shuffled(plan.services, chooser));
  const sticky = chosen(shareOf(plan.affinity, plan.services), shuffled(plan.services, chooser));
  const ports = shuffled(NODE_PORT_COUNT, chooser);
  const services = new Array<PlannedService>(plan.services);
  let left = plan.pods;
  let nextPort = 0;
  for (const [rank, size] of counts.entries()) {
    const i = order[rank]!;
    const named = serviceName(i);
    let workload: Workload;
    const hasOwnPods = size <= left;
    if (hasOwnPods) {
      workload = { namespace: named.namespace, app: named.name, pods: size, role: named.role };
      workloads.push(workload);
      left -= size;
    } else workload = nearest(workloads, size);
    services[i] = {
      ...named,
      namespace: workload.namespace,
      name: hasOwnPods ? named.name : `${named.name}-${i}`,
      role: workload.role ?? named.role,
      workload,
      nodePort: withNodePort.has(i) ? NODE_PORT_FIRST + ports[nextPort++]! : 0,
      localPolicy: local.has(i),
      affinity: sticky.has(i),
    };
  }
  for (let i = 0; left > 0; i++) {
    const pods = Math.min(left, CLIENTS_A_WORKLOAD);
    workloads.push({
      namespace: clientNamespace(i),
      app: i === 0 ? "client" : `client-${i + 1}`,
      pods,
      role: null,
    });
    left -= pods;
  }
  return { services, workloads };
}

/** The workload whose size is nearest; they stand largest first. */
function nearest(workloads: readonly Workload[], size: number): Workload {
  let low = 0;
  let high = workloads.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (workloads[middle]!.pods > size) low = middle + 1;
    else high = middle;
  }
  const after = workloads[low]!;
  const before = workloads[Math.max(0, low - 1)]!;
  return Math.abs(before.pods - size) < Math.abs(after.pods - size) ? before : after;
}

/** 0 to n - 1 in an order that the chooser decides (Fisher and Yates). */
export function shuffled(n: number, chooser: Chooser): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = chooser.pick(i + 1, "id");
    const moved = order[i]!;
    order[i] = order[j]!;
    order[j] = moved;
  }
  return order;
}

const chosen = (count: number, order: readonly number[]): Set<number> => new Set(order.slice(0, count));
