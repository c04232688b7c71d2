/** How large a synthetic topology is to be, and of what kind. */

export const BACKENDS = ["udp", "vxlan", "host-gw"] as const;

/** Everything that decides a generated topology: equal plans give equal text. Shares are fractions from 0 to 1. */
export interface GeneratePlan {
  readonly nodes: number;
  /** Pods in all: those behind Services, and the rest, who are clients. */
  readonly pods: number;
  readonly services: number;
  /** Mean over all Services. Sizes are zipf-like: few large Services, many small ones. */
  readonly endpointsPerService: number;
  /** Share of Services of type NodePort. */
  readonly nodePorts: number;
  /** Share of Services with a traffic policy Local: the external one where there is a node port, else the internal one. */
  readonly localPolicy: number;
  /** Share of Services with session affinity ClientIP. */
  readonly affinity: number;
  readonly zones: number;
  readonly backend: (typeof BACKENDS)[number];
  readonly seed: number;
}

export const DEFAULT_PLAN: GeneratePlan = {
  nodes: 10,
  pods: 300,
  services: 20,
  endpointsPerService: 5,
  nodePorts: 0.1,
  localPolicy: 0.05,
  affinity: 0.05,
  zones: 3,
  backend: "vxlan",
  seed: 1,
};

/** A plan that no topology can fulfil; the message says why. */
export class PlanError extends RangeError {
  constructor(message: string) {
    super(message);
    this.name = "PlanError";
  }
}

/** `--service-node-port-range` of the API server. */
export const NODE_PORT_FIRST = 30000;
export const NODE_PORT_COUNT = 2768;

/** How many of `total` a share is, to the nearest. */
export const shareOf = (share: number, total: number): number => Math.round(share * total);

/** Throws {@link PlanError} for a plan that contradicts itself or Kubernetes. */
export function checkPlan(plan: GeneratePlan): void {
  const whole = (name: "nodes" | "pods" | "services" | "zones", least: number): void => {
    if (!Number.isInteger(plan[name]) || plan[name] < least)
      throw new PlanError(`${name}: ${plan[name]} is no whole number of at least ${least}`);
  };
  whole("nodes", 1);
  whole("pods", 0);
  whole("services", 0);
  whole("zones", 1);
  for (const name of ["nodePorts", "localPolicy", "affinity"] as const)
    if (!(plan[name] >= 0 && plan[name] <= 1))
      throw new PlanError(`${name}: ${plan[name]} is no share from 0 to 1`);
  if (plan.services === 0) return;
  if (!(plan.endpointsPerService >= 1))
    throw new PlanError(`endpointsPerService: ${plan.endpointsPerService} is less than 1`);
  if (plan.endpointsPerService > plan.pods)
    throw new PlanError(
      `endpointsPerService: ${plan.endpointsPerService} endpoints need as many pods, there are ${plan.pods}`,
    );
  const nodePorts = shareOf(plan.nodePorts, plan.services);
  if (nodePorts > NODE_PORT_COUNT)
    throw new PlanError(
      `nodePorts: ${nodePorts} Services want a node port, ${NODE_PORT_FIRST}-${NODE_PORT_FIRST + NODE_PORT_COUNT - 1} has ${NODE_PORT_COUNT}`,
    );
}
