import { DEFAULT_PLAN, generateTopology, loadTopology } from "./built.ts";
import type { Case } from "./case.ts";

/** Reading a generated topology, 15 endpoints a Service in the mean. */
const loadCase = (nodes: number, pods: number, services: number, samples: number): Case => ({
  name: `load ${nodes.toLocaleString("en")} nodes, ${pods.toLocaleString("en")} pods, ${services.toLocaleString("en")} Services`,
  unit: "topology",
  prepare() {
    const text = [
      ...generateTopology({ ...DEFAULT_PLAN, nodes, pods, services, endpointsPerService: 15 }),
    ].join("");
    return {
      operations: 1,
      samples,
      run() {
        loadTopology([{ file: "generated.yaml", text }]);
      },
    };
  },
});

export const topologyCases: readonly Case[] = [
  loadCase(50, 1500, 100, 5),
  loadCase(500, 15_000, 1000, 3),
  loadCase(5000, 150_000, 10_000, 1),
];
