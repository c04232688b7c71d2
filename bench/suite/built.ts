/**
 * The program as it is shipped. Measured code comes from the build: what runs TypeScript directly wraps functions to keep
 * their names, which costs on the packets' way. `npm run bench` builds first.
 */
const from = (path: string): string => new URL(`../../dist/${path}.js`, import.meta.url).href;

export const { benchCluster } = (await import(
  from("analysis/bench/cluster")
)) as typeof import("../../src/analysis/bench/cluster.ts");
export const { generateTopology } = (await import(
  from("analysis/generate/generate")
)) as typeof import("../../src/analysis/generate/generate.ts");
export const { DEFAULT_PLAN } = (await import(
  from("analysis/generate/plan")
)) as typeof import("../../src/analysis/generate/plan.ts");
export const { buildNetwork } = (await import(
  from("cluster/build/network")
)) as typeof import("../../src/cluster/build/network.ts");
export const { labPlan } = (await import(from("lab/plan"))) as typeof import("../../src/lab/plan.ts");
export const { send } = (await import(from("trace/send"))) as typeof import("../../src/trace/send.ts");
export const { loadTopology } = (await import(
  from("topology/load/load")
)) as typeof import("../../src/topology/load/load.ts");
export const { walkTable, walkTableNaively } = (await import(
  from("linux/netfilter/rules/walk")
)) as typeof import("../../src/linux/netfilter/rules/walk.ts");
export const { ruleHost } = (await import(
  from("linux/netfilter/rule-host")
)) as typeof import("../../src/linux/netfilter/rule-host.ts");
export const { Skb } = (await import(from("linux/skb"))) as typeof import("../../src/linux/skb.ts");
export const { Packet } = (await import(
  from("packet/packet")
)) as typeof import("../../src/packet/packet.ts");
