import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readPlan, readResults } from "./plan.ts";
import { replay } from "./replay.ts";

const file = (name: string): string => fileURLToPath(new URL(`kernel/${name}`, import.meta.url));

describe("flows that a real kernel has handled", () => {
  const results = readResults(file("flannel-udp.results.jsonl.gz"));
  const { flows } = replay(readPlan(file("flannel-udp.plan.json.gz")), results, 1);

  it("has them all", () => {
    expect(flows.map(({ id }) => id)).toEqual([...results.keys()]);
  });

  it.each(flows.map((flow) => [flow.id, flow] as const))(
    "%s ends as it did in the kernel",
    (_id, { flow }) => {
      expect(flow).toEqual([]);
    },
  );

  it.each(flows.map((flow) => [flow.id, flow] as const))(
    "%s leaves the same connections",
    (_id, { conntrack }) => {
      expect(conntrack).toBeNull();
    },
  );

  // The fourth SYN of this flow races the ICMP error about the first three, in the kernel as here
  const RACES = ["Z.pod-absent-cross.tcp"];

  it.each(flows.filter(({ id }) => !RACES.includes(id)).map((flow) => [flow.id, flow] as const))(
    "%s meets the same rules on the same way",
    (_id, { rules, path }) => {
      expect(rules).toBeNull();
      expect(path).toBeNull();
    },
  );
});
