import { describe, expect, it } from "vitest";
import { differences } from "./compare.ts";
import { missingForKernel, replayInKernel } from "./kernel.ts";
import { simulate } from "./simulate.ts";
import { type Situation, withPorts } from "./step.ts";

const missing = missingForKernel();

/** One test a situation: frame for frame, errno for errno what the kernel does. Several run at once, for they mostly wait. */
export function compareWithKernel(title: string, situations: readonly Situation[]): void {
  if (missing !== null) console.log(`skipped: ${missing}`);
  describe.skipIf(missing !== null)(title, () => {
    for (const situation of situations.map(withPorts))
      it.concurrent(situation.name, async () => {
        const simulated = simulate(situation);
        const kernel = await replayInKernel(situation);
        expect(differences(kernel, simulated).join("\n")).toBe("");
      });
  });
}
