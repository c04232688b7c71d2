import type { ClusterModel } from "../cluster/objects/model.ts";

/**
 * Settings under which two runs of a flow are equal. ICMP errors are not limited: whether a token is left depends on
 * the tick of the clock between two lines of the kernel. A listener does not repeat its SYN/ACK while nobody answers:
 * a later flow would meet it.
 */
const SETTLED = { "net.ipv4.icmp_ratemask": 0, "net.ipv4.tcp_synack_retries": 0 } as const;

/** The model with those settings everywhere; to be built in both worlds. */
export function settledModel(model: ClusterModel): ClusterModel {
  const settle = <T extends { sysctl: Record<string, number> }>(one: T): T => ({
    ...one,
    sysctl: { ...one.sysctl, ...SETTLED },
  });
  return {
    ...model,
    nodes: model.nodes.map(settle),
    hosts: model.hosts.map(settle),
    pods: model.pods.map(settle),
  };
}
