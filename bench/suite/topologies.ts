import { buildNetwork, DEFAULT_PLAN, generateTopology, loadTopology, send } from "./built.ts";
import type { Case, Comparison, Group } from "./case.ts";

/** A generated topology, 15 endpoints a Service in the mean. */
interface Size {
  readonly nodes: number;
  readonly pods: number;
  readonly services: number;
}

const SMALL: Size = { nodes: 50, pods: 1500, services: 100 };
const MIDDLE: Size = { nodes: 500, pods: 15_000, services: 1000 };
/** Kubernetes' stated limits. */
const LARGE: Size = { nodes: 5000, pods: 150_000, services: 10_000 };

const sizeName = ({ nodes, pods, services }: Size): string =>
  `${nodes.toLocaleString("en")} nodes, ${pods.toLocaleString("en")} pods, ${services.toLocaleString("en")} Services`;

function textOf(size: Size): string {
  return [...generateTopology({ ...DEFAULT_PLAN, ...size, endpointsPerService: 15 })].join("");
}

const modelOf = (size: Size) => loadTopology([{ file: "generated.yaml", text: textOf(size) }]).model;

/** Reading it and building the cluster. */
const loadCase = (size: Size): Case => ({
  name: `load ${sizeName(size)}`,
  unit: "topology",
  prepare() {
    const text = textOf(size);
    return {
      operations: 1,
      samples: 1,
      run() {
        buildNetwork(loadTopology([{ file: "generated.yaml", text }]).model, { seed: 1 });
      },
    };
  },
});

type Model = ReturnType<typeof modelOf>;

/** A question to a cluster: from its first pod to a Service. */
function question({ pods, services }: Model, i: number): Parameters<typeof send>[1] {
  const [{ namespace, name }] = pods as [Model["pods"][number]];
  const { metadata, spec } = services[i % services.length]!;
  const [port] = spec?.ports ?? [];
  return {
    from: `pod/${namespace}/${name}`,
    to: `svc/${metadata?.namespace}/${metadata?.name}:${port?.port}`,
    protocol: port?.protocol === "UDP" ? "udp" : "tcp",
  };
}

/** The first trace once it is loaded: the nodes on its way are made now, and the rules that it looks at. */
const firstTraceCase = (size: Size): Case => ({
  name: `first trace, ${sizeName(size)}`,
  unit: "trace",
  prepare() {
    const model = modelOf(size);
    const cluster = buildNetwork(model, { seed: 1 });
    return {
      operations: 1,
      samples: 1,
      run() {
        send(cluster, question(model, 0));
      },
    };
  },
});

/** Traces after it, to Services all over: each makes a node or two. */
const furtherTraceCase = (size: Size): Case => ({
  name: `further traces, ${sizeName(size)}`,
  unit: "trace",
  prepare() {
    const model = modelOf(size);
    const cluster = buildNetwork(model, { seed: 1 });
    send(cluster, question(model, 0));
    let i = 1;
    return {
      operations: 1,
      samples: 100,
      run() {
        send(cluster, question(model, i * 7919));
        i++;
      },
    };
  },
});

const GROWTH = 10;

const exponent = (name: string, of: Case, by: Case): Comparison => ({
  name,
  of: of.name,
  by: by.name,
  growth: GROWTH,
  target: { atMost: 1 },
});

// one each, so that all of them begin with code that has not run before
const loads = [loadCase(SMALL), loadCase(MIDDLE), loadCase(LARGE)] as const;

/** What a cluster of the stated limits may take. */
const limit = (of: Case, atMostMs: number): Comparison => ({
  name: `${of.name}, ms`,
  of: of.name,
  target: { atMost: atMostMs },
});

const firsts = [firstTraceCase(MIDDLE), firstTraceCase(LARGE)] as const;
const further = [furtherTraceCase(MIDDLE), furtherTraceCase(LARGE)] as const;

export const topologyGroups: readonly Group[] = [
  {
    cases: loads,
    rounds: 1,
    comparisons: [
      exponent("load, exponent of growth from 50 to 500 nodes", loads[1], loads[0]),
      exponent("load, exponent of growth from 500 to 5,000 nodes", loads[2], loads[1]),
      limit(loads[2], 60_000),
    ],
  },
  { cases: firsts, rounds: 1, comparisons: [limit(firsts[1], 1000)] },
  { cases: further, rounds: 1, comparisons: [limit(further[1], 5)] },
];
