import { beforeAll, describe, expect, it } from "vitest";
import { differences } from "./compare.ts";
import { missingForKernel, replayInKernel } from "./kernel.ts";
import { simulate } from "./simulate.ts";
import { type Seen, type Situation, withPorts } from "./step.ts";

/** They mostly wait, so several run at once; more, and a loaded machine would answer too late. */
const AT_ONCE = 8;

const missing = missingForKernel();

/** One test a situation: frame for frame, errno for errno what the kernel does. */
export function compareWithKernel(title: string, situations: readonly Situation[]): void {
  if (missing !== null) console.log(`skipped: ${missing}`);
  const replays = new Map<string, Promise<Seen>>();
  describe.skipIf(missing !== null)(title, () => {
    beforeAll(() => {
      const waiting = situations.map(withPorts);
      const results = new Map<string, (seen: Promise<Seen>) => void>();
      for (const { name } of waiting)
        replays.set(name, new Promise((resolve) => results.set(name, (seen) => resolve(seen))));
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const seen = replayInKernel(next);
          results.get(next.name)!(seen);
          await seen.catch(() => undefined);
        }
      };
      for (let i = 0; i < AT_ONCE; i++) void work();
    });
    for (const situation of situations)
      it(situation.name, async () => {
        const kernel = await replays.get(situation.name)!;
        expect(differences(kernel, simulate(withPorts(situation))).join("\n")).toBe("");
      });
  });
}
