import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  CLIENT,
  combination,
  FIRST_PORT,
  lastService,
  NODE,
  SERVER,
  SERVICE_PORT,
  SimulatedFlow,
} from "../../bench/kernel/cases.ts";
import { KernelCluster, labName, PAYLOAD } from "../../bench/kernel/namespaces.ts";
import { benchCluster } from "../../src/analysis/bench/cluster.ts";
import { labPlan } from "../../src/lab/plan.ts";
import { formatIpv4 } from "../../src/packet/address.ts";
import { kernelIsThere } from "../kernel/availability.ts";

const PACKETS = 640;

const cluster = () => benchCluster(combination(10));

describe("the simulator's side", () => {
  it.each(["established", "new"] as const)(
    "carries %s flows to the Service last in KUBE-SERVICES",
    (kind) => {
      const bench = cluster();
      const rules = labPlan(bench.cluster, "x", "nft").namespaces.find(({ name }) => name === NODE)!.rules;
      const last = lastService(rules, bench.addresses.map(formatIpv4));
      const flow = new SimulatedFlow(bench, kind, bench.addresses[last]!, SERVICE_PORT);
      expect(flow.rate(0.01, PAYLOAD)).toBeGreaterThan(0);
    },
  );

  it("knows no last Service where no rule is", () => {
    expect(() => lastService("", ["10.192.0.1"])).toThrow("which is no Service's");
  });
});

describe.skipIf(!kernelIsThere)("the kernel's side", () => {
  const bench = cluster();
  const plan = labPlan(bench.cluster, labName("test"), "nft");
  let kernel: KernelCluster;
  const flood = (kind: "established" | "new") =>
    kernel.flood(CLIENT, SERVER, {
      kind,
      destination: formatIpv4(bench.addresses.at(-1)!),
      port: SERVICE_PORT,
      firstPort: FIRST_PORT,
      packets: PACKETS,
      seconds: 5,
    });

  beforeAll(async () => {
    kernel = await KernelCluster.build(plan, 8080);
  });

  it("carries every packet of one flow", async () => {
    await kernel.forget(NODE);
    const { sent, received } = await flood("established");
    expect({ sent, received }).toEqual({ sent: PACKETS, received: PACKETS });
  });

  it("carries flows of one packet each", async () => {
    await kernel.forget(NODE);
    const { sent, received } = await flood("new");
    expect({ sent, received }).toEqual({ sent: PACKETS, received: PACKETS });
    expect(await kernel.connections(NODE)).toBe(PACKETS);
  });

  afterAll(async () => {
    await kernel.close();
    expect(readdirSync("/run/netns").filter((name) => name.startsWith(plan.prefix))).toEqual([]);
  });
});
