import type { BenchCluster, Combination } from "../../src/analysis/bench/cluster.ts";
import type { Target } from "../suite/case.ts";
import type { Flood } from "./namespaces.ts";

/** One kind of flow, sent through both kernels. */
export interface FlowCase {
  readonly kind: Flood["kind"];
  readonly services: number;
  /** podpath's rate by the kernel's. */
  readonly target: Target | null;
}

export const FLOW_CASES: readonly FlowCase[] = [
  { kind: "established", services: 10, target: { atLeast: 6 } },
  { kind: "new", services: 10, target: null },
  { kind: "new", services: 10_000, target: { atLeast: 60 } },
];

/** The cluster of one node. */
export const combination = (services: number): Combination => ({
  services,
  endpoints: 1,
  mode: "iptables",
  scheduler: "rr",
  placement: "same-node",
  seed: 1,
});

/** UDP port of the benchmark's Services. */
export const SERVICE_PORT = 80;
export const FIRST_PORT = 1024;
/** Flows before ports come round again. */
export const PORTS = 60_000;

export const NODE = "node-1";
export const CLIENT = `${NODE}/default/client`;
export const SERVER = `${NODE}/default/web-0`;

/** The Service whose rule is the last that a packet meets in KUBE-SERVICES: its place among the addresses. */
export function lastService(rules: string, addresses: readonly string[]): number {
  const last = [...rules.matchAll(/^-A KUBE-SERVICES -d (\S+)\/32 .*-j KUBE-SVC-/gm)].at(-1)?.[1];
  const at = addresses.indexOf(last ?? "");
  if (at < 0) throw new Error(`the last rule of KUBE-SERVICES is for ${last}, which is no Service's`);
  return at;
}

/** The simulator's side: sends packets of one kind to one Service and counts what reaches the server. */
export class SimulatedFlow {
  private readonly bench: BenchCluster;
  private readonly kind: Flood["kind"];
  private readonly destination: number;
  private readonly port: number;
  private sent = 0;

  constructor(bench: BenchCluster, kind: Flood["kind"], destination: number, port: number) {
    this.bench = bench;
    this.kind = kind;
    this.destination = destination;
    this.port = port;
  }

  private send(sourcePort: number, payloadLength: number): void {
    const { client, cluster } = this.bench;
    const { destination, port } = this;
    client.sockets.udp.send({ destination, destinationPort: port, sourcePort, payloadLength });
    cluster.network.run();
  }

  private forget(): void {
    for (const { netfilter } of this.bench.cluster.network.namespaces.values()) netfilter.conntrack?.flush();
    this.sent = 0;
  }

  /** Packets a second over about so many seconds; forgetting is not counted. */
  rate(seconds: number, payload: number): number {
    const { network } = this.bench.cluster;
    let arrived = 0;
    network.onDelivery = ({ name }) => {
      if (name === SERVER) arrived++;
    };
    this.forget();
    // a flow that stands has sent one already; the first of all finds neighbours
    this.send(FIRST_PORT - 1, payload);
    if (this.kind === "established") this.send(FIRST_PORT, payload);
    network.settle();
    arrived = 0;
    let packets = 0;
    let elapsedMs = 0;
    while (elapsedMs < seconds * 1000) {
      if (this.sent === PORTS) this.forget();
      const begin = performance.now();
      for (let i = 0; i < BATCH; i++) {
        this.send(this.kind === "new" ? FIRST_PORT + this.sent : FIRST_PORT, payload);
        this.sent++;
      }
      elapsedMs += performance.now() - begin;
      packets += BATCH;
    }
    network.onDelivery = null;
    if (arrived !== packets) throw new Error(`${arrived} of ${packets} simulated packets arrived`);
    return (packets / elapsedMs) * 1000;
  }
}

/** Packets between two looks at the clock; divides {@link PORTS}. */
const BATCH = 1000;
