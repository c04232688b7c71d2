import fc from "fast-check";
import type { SimulatedCluster } from "../cluster/build/cluster.ts";
import { loadTopology } from "../topology/load/load.ts";
import { send } from "../trace/send.ts";
import type { Trace } from "../trace/trace.ts";
import { LawBroken } from "./law/law.ts";
import { buildCluster, topologyText } from "./small-cluster.ts";
import { type ClusterSpec, podName, SERVICE_PORT, serviceName } from "./spec.ts";

/** One thing that happens to a cluster. Pods and Services are meant by their index, counted round those there are. */
export type Operation =
  | { readonly do: "set-ready"; readonly pod: number; readonly ready: boolean }
  | { readonly do: "delete-pod"; readonly pod: number }
  | { readonly do: "add-pod"; readonly node: number; readonly app: "a" | "b" }
  | { readonly do: "drain-node"; readonly node: number }
  | { readonly do: "wait"; readonly seconds: number }
  | { readonly do: "open-flow"; readonly from: number; readonly service: number };

/** A history: what happens, in order. Shrinks to fewer operations. */
export const history = (maxLength = 8): fc.Arbitrary<Operation[]> => fc.array(operation(), { maxLength });

const index = (): fc.Arbitrary<number> => fc.nat({ max: 7 });

const operation = (): fc.Arbitrary<Operation> =>
  fc.oneof(
    fc.record({ do: fc.constant("open-flow" as const), from: index(), service: index() }),
    fc.record({ do: fc.constant("set-ready" as const), pod: index(), ready: fc.boolean() }),
    fc.record({ do: fc.constant("delete-pod" as const), pod: index() }),
    fc.record({
      do: fc.constant("add-pod" as const),
      node: index(),
      app: fc.constantFrom("a" as const, "b" as const),
    }),
    fc.record({ do: fc.constant("drain-node" as const), node: index() }),
    fc.record({ do: fc.constant("wait" as const), seconds: fc.constantFrom(1, 29, 31, 121) }),
  );

/** A cluster in time: the simulated one, and the simple model of who should answer. */
export class LiveCluster {
  readonly cluster: SimulatedCluster;
  private spec: ClusterSpec;
  /** Indices of pods that are gone; names are never used again. */
  private readonly gone = new Set<number>();

  constructor(spec: ClusterSpec, build: typeof buildCluster = buildCluster) {
    this.spec = spec;
    this.cluster = build(spec);
  }

  /** Pods that should answer for a Service now: ready ones of its app. Names as `default/pod1`. */
  answering(service: number): string[] {
    const { app } = this.spec.services[service]!;
    return this.spec.pods.flatMap((pod, i) =>
      pod.app === app && pod.ready && !this.gone.has(i) ? [`default/${podName(i)}`] : [],
    );
  }

  /** Carries one operation out; an opened flow is sent and held against the model. Throws LawBroken. */
  apply(operation: Operation): Trace | null {
    switch (operation.do) {
      case "wait":
        this.cluster.network.advance(operation.seconds * 1_000_000);
        return null;
      case "open-flow":
        return this.openFlow(operation.from, operation.service);
      default:
        this.change(operation);
        return null;
    }
  }

  private openFlow(fromIndex: number, serviceIndex: number): Trace | null {
    const present = this.present();
    const { services } = this.spec;
    if (present.length === 0 || services.length === 0) return null;
    const from = present[fromIndex % present.length]!;
    const service = serviceIndex % services.length;
    const expected = this.answering(service);
    const protocol = services[service]!.protocol === "TCP" ? ("tcp" as const) : ("udp" as const);
    const trace = send(this.cluster, {
      from: `pod/${podName(from)}`,
      to: `svc/${serviceName(service)}:${SERVICE_PORT}`,
      protocol,
    });
    if (expected.length === 0) {
      if (trace.verdict === "delivered")
        throw new LawBroken(`nobody should answer for ${serviceName(service)}`, trace);
    } else if (
      trace.verdict !== "delivered" ||
      !expected.includes(trace.delivered!.pod ?? "") ||
      trace.reply?.verdict !== "delivered"
    )
      throw new LawBroken(`one of ${expected.join(", ")} should answer for ${serviceName(service)}`, trace);
    return trace;
  }

  private change(operation: Exclude<Operation, { do: "wait" | "open-flow" }>): void {
    const present = this.present();
    const pods = [...this.spec.pods];
    const at = "pod" in operation ? present[operation.pod % Math.max(1, present.length)] : undefined;
    if (operation.do === "add-pod")
      pods.push({ node: operation.node % this.spec.nodes, app: operation.app, ready: true });
    else if (operation.do === "drain-node") {
      const node = operation.node % this.spec.nodes;
      for (const i of present) if (pods[i]!.node === node) this.gone.add(i);
    } else if (at === undefined) return;
    else if (operation.do === "delete-pod") this.gone.add(at);
    else pods[at] = { ...pods[at]!, ready: operation.ready };
    this.spec = { ...this.spec, pods };
    this.follow();
  }

  private present(): number[] {
    return this.spec.pods.flatMap((_, i) => (this.gone.has(i) ? [] : [i]));
  }

  /** The cluster follows the changed objects. */
  private follow(): void {
    const gone = new Set([...this.gone].map(podName));
    const text = topologyText(this.spec)
      .split("\n---\n")
      .filter((line) => {
        const { kind, metadata } = JSON.parse(line) as { kind: string; metadata: { name: string } };
        return kind !== "Pod" || !gone.has(metadata.name);
      })
      .join("\n---\n");
    this.cluster.update(loadTopology([{ file: "spec", text }]).model);
  }
}

/**
 * While a history happens, every flow that is opened to a Service with ready pods is answered by one of them, and none
 * of the others is answered at all.
 *
 * @throws LawBroken with the history up to the flow that was lost, and its trace.
 */
export function zeroLossDuring(
  spec: ClusterSpec,
  operations: readonly Operation[],
  build: typeof buildCluster = buildCluster,
): void {
  const live = new LiveCluster(spec, build);
  operations.forEach((operation, i) => {
    try {
      live.apply(operation);
    } catch (error) {
      if (!(error instanceof LawBroken)) throw error;
      const before = operations
        .slice(0, i + 1)
        .map((one) => JSON.stringify(one))
        .join("\n  ");
      throw new LawBroken(`${error.message}\n\nafter\n  ${before}`);
    }
  });
}
