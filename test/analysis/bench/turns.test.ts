import { describe, expect, it } from "vitest";
import { Turns } from "../../../src/analysis/bench/turns.ts";
import { inWorkers } from "../../../src/analysis/workers/pool.ts";
import type { Interval } from "./turns-task.ts";

describe("Turns", () => {
  it("lets nobody count or measure while somebody measures", async () => {
    const found = await inWorkers<number, Interval[]>({
      module: new URL("./turns-task.ts", import.meta.url),
      data: Turns.memory(),
      tasks: Array.from({ length: 12 }, (_, i) => i),
      workers: 3,
    });
    const all = found.flat();
    const overlaps = (a: Interval, b: Interval) => a !== b && a.from < b.to && b.from < a.to;
    const disturbed = all
      .filter(({ what }) => what === "measure")
      .filter((a) => all.some((b) => overlaps(a, b)));
    expect(disturbed).toEqual([]);
    expect(all).toHaveLength(24);
  });
});
