import { chanceOf } from "../../src/lab/chi-square.ts";
import type { DistributionReport } from "../../src/lab/distribution.ts";
import { randomFlows } from "../../src/lab/random-flow.ts";
import { reportText } from "../../src/lab/report.ts";
import type { IptablesVariant } from "../../src/lab/requirements.ts";
import { LabSession } from "../../src/lab/session.ts";
import { verifyFlows } from "../../src/lab/verify.ts";
import { type Chooser, SeededChooser } from "../../src/linux/chooser.ts";
import { loadTopology } from "../../src/topology/load/load.ts";
import { randomChange } from "./random-change.ts";
import { type Backend, randomTopology } from "./random-topology.ts";

/** Random topologies, each with random flows and changes. Everything follows from the seed. */
export interface Campaign {
  readonly seed: number;
  /** Numbers of the topologies: each alone can be done again. */
  readonly topologies: readonly number[];
  readonly flowsPerTopology: number;
  readonly backends: readonly Backend[];
  readonly iptables: readonly IptablesVariant[];
  /** `performance.now()` at which no further topology is begun. */
  readonly deadlineMs: number;
  readonly log?: (line: string) => void;
}

export interface CampaignReport {
  readonly topologies: number;
  readonly flows: number;
  readonly differing: number;
  readonly unsteady: number;
  /** Of every topology in which something differed, its report. */
  readonly texts: readonly string[];
  /** What was varied: `NAME=VALUE` → topologies. */
  readonly varied: ReadonlyMap<string, number>;
  readonly seen: ReadonlyMap<string, number>;
  readonly changes: number;
  readonly p: number;
  readonly choices: number;
}

/** One flow in so many is preceded by a change. */
const CHANGE_EVERY = 6;

export async function runCampaign(campaign: Campaign): Promise<CampaignReport> {
  const { seed, topologies, flowsPerTopology, backends, iptables, deadlineMs, log } = campaign;
  const [varied, seen] = [new Map<string, number>(), new Map<string, number>()];
  const texts: string[] = [];
  const distributions: DistributionReport[] = [];
  let [done, flows, differing, unsteady, changes] = [0, 0, 0, 0, 0];
  for (const number of topologies) {
    if (performance.now() > deadlineMs) break;
    const chooser: Chooser = new SeededChooser(seed * 100_003 + number);
    const backend = backends[number % backends.length]!;
    const variant = iptables[Math.floor(number / backends.length) % iptables.length]!;
    const topology = randomTopology(chooser, backend);
    const { model } = loadTopology([{ file: `random-${seed}-${number}`, text: topology.text }]);
    const lab = `t${process.pid}-${number}`;
    const session = await LabSession.open(model, { lab, iptables: variant, seed });
    try {
      const report = await verifyFlows(session, {
        flows: randomFlows(session.cluster, chooser),
        limit: flowsPerTopology,
        deadlineMs: Number.POSITIVE_INFINITY,
        change: async () => {
          if (chooser.pick(CHANGE_EVERY, "id") !== 0) return null;
          changes++;
          return randomChange(session, chooser);
        },
      });
      done++;
      flows += report.flows;
      differing += report.differing.length;
      unsteady += report.unsteady.length;
      distributions.push(report.distribution);
      for (const what of [...topology.varied, `iptables=${variant}`])
        varied.set(what, (varied.get(what) ?? 0) + 1);
      for (const [what, count] of report.seen) seen.set(what, (seen.get(what) ?? 0) + count);
      if (report.differing.length + report.unsteady.length > 0)
        texts.push(
          `seed ${seed}, topology ${number} (${topology.varied.join(", ")}):\n${reportText(report)}`,
        );
      log?.(
        `topology ${number} ${backend} ${variant}: ${report.flows - report.differing.length} of ${report.flows} flows equal`,
      );
    } finally {
      await session.close();
    }
  }
  const { p, choices } = together(distributions);
  return { topologies: done, flows, differing, unsteady, texts, varied, seen, changes, p, choices };
}

/** Independent χ² sums add up, and so do their degrees of freedom. */
function together(reports: readonly DistributionReport[]): { p: number; choices: number } {
  let [statistic, freedom, choices] = [0, 0, 0];
  for (const report of reports) {
    choices += report.choices;
    if (report.freedom < 1) continue;
    statistic += report.statistic;
    freedom += report.freedom;
  }
  if (freedom === 0) return { p: 1, choices };
  return { p: chanceOf(statistic, freedom), choices };
}
