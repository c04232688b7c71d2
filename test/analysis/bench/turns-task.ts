/** A worker that counts for a moment and then measures for one, and says when. */
import { workerData } from "piscina";
import { Turns } from "../../../src/analysis/bench/turns.ts";

export interface Interval {
  readonly what: "count" | "measure";
  readonly from: number;
  readonly to: number;
}

const turns = new Turns(workerData as SharedArrayBuffer);
const clock = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

const during = (what: Interval["what"], milliseconds: number): Interval => {
  const now = (): number => Number(process.hrtime.bigint()) / 1e6;
  const from = now();
  Atomics.wait(clock, 0, 0, milliseconds);
  return { what, from, to: now() };
};

export default (task: number): Interval[] => [
  turns.count(() => during("count", 1 + (task % 3) * 5)),
  turns.measure(() => during("measure", 3)),
];
