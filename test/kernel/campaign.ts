import { chanceOf } from "../../src/lab/chi-square.ts";
import type { DistributionReport } from "../../src/lab/distribution.ts";
import { randomFlows } from "../../src/lab/random-flow.ts";
import { reportText } from "../../src/lab/report.ts";
import type { IptablesVariant } from "../../src/lab/requirements.ts";
import { LabSession } from "../../src/lab/session.ts";
import { type DifferingFlow, type VerifyReport, verifyFlows } from "../../src/lab/verify.ts";
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
  const { seed, topologies, deadlineMs, log } = campaign;
  const [varied, seen] = [new Map<string, number>(), new Map<string, number>()];
  const texts: string[] = [];
  const distributions: DistributionReport[] = [];
  let [done, flows, differing, unsteady, changes] = [0, 0, 0, 0, 0];
  for (const number of topologies) {
    if (performance.now() > deadlineMs) break;
    const run = await confirmed(campaign, number);
    const { report, settings } = run;
    done++;
    flows += report.flows;
    differing += report.differing.length;
    unsteady += report.unsteady.length;
    changes += run.changes;
    distributions.push(report.distribution);
    for (const what of settings) varied.set(what, (varied.get(what) ?? 0) + 1);
    for (const [what, count] of report.seen) seen.set(what, (seen.get(what) ?? 0) + count);
    if (report.differing.length + report.unsteady.length > 0)
      texts.push(`seed ${seed}, topology ${number} (${settings.join(", ")}):\n${reportText(report)}`);
    log?.(
      `topology ${number} ${run.backend} ${run.variant}: ${report.flows - report.differing.length} of ${report.flows} flows equal`,
    );
  }
  const { p, choices } = together(distributions);
  return { topologies: done, flows, differing, unsteady, texts, varied, seen, changes, p, choices };
}

interface TopologyRun {
  readonly backend: Backend;
  readonly variant: IptablesVariant;
  /** What was varied. */
  readonly settings: readonly string[];
  readonly changes: number;
  readonly report: VerifyReport;
}

/**
 * One topology. A flow that differs after a change cannot be sent again by itself: then everything is done once more from
 * the beginning, and what does not differ at the same place again is unsteady.
 */
async function confirmed(campaign: Campaign, number: number): Promise<TopologyRun> {
  const run = await runTopology(campaign, number);
  const { differing, unsteady } = run.report;
  if (differing.every(({ changed }) => changed.length === 0)) return run;
  const again = new Set((await runTopology(campaign, number)).report.differing.map(placeOf));
  const isSteady = (one: DifferingFlow): boolean => one.changed.length === 0 || again.has(placeOf(one));
  return {
    ...run,
    report: {
      ...run.report,
      differing: differing.filter(isSteady),
      unsteady: [...unsteady, ...differing.filter((one) => !isSteady(one))],
    },
  };
}

/** A flow with everything that went before it. */
const placeOf = ({ flow, after, changed }: DifferingFlow): string =>
  JSON.stringify([flow.request, after.map(({ request }) => request), changed]);

async function runTopology(campaign: Campaign, number: number): Promise<TopologyRun> {
  const { seed, flowsPerTopology, backends, iptables } = campaign;
  const chooser: Chooser = new SeededChooser(seed * 100_003 + number);
  const backend = backends[number % backends.length]!;
  const variant = iptables[Math.floor(number / backends.length) % iptables.length]!;
  const topology = randomTopology(chooser, backend);
  const { model } = loadTopology([{ file: `random-${seed}-${number}`, text: topology.text }]);
  const session = await LabSession.open(model, { lab: `t${process.pid}-${number}`, iptables: variant, seed });
  let changes = 0;
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
    return { backend, variant, settings: [...topology.varied, `iptables=${variant}`], changes, report };
  } finally {
    await session.close();
  }
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
