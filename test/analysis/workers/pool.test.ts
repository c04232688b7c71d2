import { describe, expect, it } from "vitest";
import { defaultWorkers, inWorkers, WorkerError } from "../../../src/analysis/workers/pool.ts";
import type { Task } from "./task.ts";

const module = new URL("./task.ts", import.meta.url);
const run = (tasks: readonly Task[], more: { data?: unknown; workers?: number } = {}): Promise<unknown[]> =>
  inWorkers<Task, unknown>({ module, data: null, workers: 2, tasks, ...more });

describe("inWorkers", () => {
  it("gives results in the order of the tasks, and tells of each once", async () => {
    const told: number[] = [];
    const tasks = Array.from({ length: 20 }, (_, double) => ({ double }));
    const onResult = (_result: unknown, index: number) => void told.push(index);
    const results = await inWorkers({ module, data: null, workers: 3, tasks, onResult });
    expect(results).toEqual(tasks.map(({ double }) => 2 * double));
    expect(told.sort((a, b) => a - b)).toEqual(tasks.map(({ double }) => double));
  });

  it("hands its data to every worker", async () => {
    const data = { of: new Map([["a", 1]]) };
    expect(await run(["data", "data"], { data })).toEqual([data, data]);
  });

  it("ends with what a task throws", async () => {
    await expect(run([{ double: 1 }, "throw", { double: 2 }])).rejects.toThrow(
      new RangeError("no such number"),
    );
  });

  it("ends when a worker leaves", async () => {
    await expect(run([{ double: 1 }, "leave"])).rejects.toThrow(
      new WorkerError("a worker exited with code: 3, its work undone"),
    );
  });

  it("ends when its module cannot be loaded", async () => {
    const nowhere = new URL("./nowhere.ts", import.meta.url);
    await expect(
      inWorkers({ module: nowhere, data: null, workers: 2, tasks: ["data", "data"] }),
    ).rejects.toThrow(/nowhere\.ts/);
  });

  it("has at least one worker by default", () => {
    expect(defaultWorkers()).toBeGreaterThanOrEqual(1);
  });
});
