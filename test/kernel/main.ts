/**
 * A long run: `npm run test:kernel -- --flows 5000 [--topologies N] [--topology N] [--seed N] [--backend B]
 * [--iptables V]`. Exit 1 when anything differs.
 */
import { parseArgs } from "node:util";
import { type IptablesVariant, missingRequirements } from "../../src/lab/requirements.ts";
import { LEAST_P } from "../../src/lab/verify.ts";
import { runCampaign } from "./campaign.ts";
import type { Backend } from "./random-topology.ts";

const { values } = parseArgs({
  options: {
    flows: { type: "string", default: "5000" },
    topologies: { type: "string" },
    topology: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    backend: { type: "string" },
    iptables: { type: "string" },
  },
});
const missing = [...missingRequirements("nft"), ...missingRequirements("legacy")];
if (missing.length > 0) {
  process.stderr.write(`the lab needs ${[...new Set(missing)].join(", ")}\n`);
  process.exit(2);
}
const FLOWS_PER_TOPOLOGY = 50;
const wanted = Number(values.flows);
const count = Number(values.topologies ?? Math.ceil(wanted / FLOWS_PER_TOPOLOGY));
const seed = Number(values.seed);
const began = performance.now();
const report = await runCampaign({
  seed,
  topologies: values.topology === undefined ? [...Array(count).keys()] : [Number(values.topology)],
  flowsPerTopology: Math.ceil(wanted / count),
  backends: values.backend === undefined ? ["udp", "vxlan", "host-gw"] : [values.backend as Backend],
  iptables: values.iptables === undefined ? ["nft", "legacy"] : [values.iptables as IptablesVariant],
  deadlineMs: Number.POSITIVE_INFINITY,
  log: (line) => void process.stderr.write(`${line}\n`),
});
const table = (rows: ReadonlyMap<string, number>): string =>
  [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, times]) => `  ${String(times).padStart(5)}  ${what}`)
    .join("\n");
const seconds = Math.round((performance.now() - began) / 1000);
process.stdout.write(
  `${report.texts.join("\n")}
topologies by what was varied:
${table(report.varied)}
flows by destination, protocol and verdict:
${table(report.seen)}
seed ${seed}: ${report.flows - report.differing} of ${report.flows} flows equal (${report.unsteady} of them only when sent again), ${report.topologies} topologies, ${report.changes} changes, ${report.choices} random endpoints (p ${report.p.toPrecision(3)}), ${seconds} s
`,
);
process.exitCode = report.differing === 0 && report.p > LEAST_P ? 0 : 1;
