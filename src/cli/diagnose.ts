import { Command, Option } from "commander";
import { CATALOGUE } from "../analysis/diagnose/catalogue.ts";
import { SEVERITIES, type Severity } from "../analysis/diagnose/check.ts";
import { diagnose } from "../analysis/diagnose/diagnose.ts";
import { type LocatedFinding, locateFindings } from "../analysis/diagnose/locate-findings.ts";
import { diagnosisOf } from "../analysis/diagnose/report/json.ts";
import { sarifLog } from "../analysis/diagnose/report/sarif.ts";
import { renderDiagnosis } from "../analysis/diagnose/report/text.ts";
import { refusalsOf } from "../analysis/diagnose/try-flow.ts";
import { formatFault } from "../topology/load/fault.ts";
import { builtInTopology, readSources } from "../topology/load/source.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { readTopology } from "./load-cluster.ts";
import { createLog } from "./log.ts";
import { addCommonOptions, type CommonOptions } from "./options.ts";
import { Progress } from "./progress.ts";

interface DiagnoseOptions extends CommonOptions {
  readonly severity: Severity;
  readonly check?: readonly string[];
  readonly color?: boolean;
}

const MAX_WIDTH = 100;
const MIN_WIDTH = 60;
const IDS = CATALOGUE.map(({ id }) => id);

const EXAMPLES = `
Each finding is proven: the flow it names was sent through the simulated cluster and failed, and was sent again with
what is wrong mended in a copy.

Examples:
  podpath diagnose -f manifests/
  kubectl get nodes,pods,services,endpointslices -A -o yaml | podpath diagnose -f - -f cluster.yaml
  podpath diagnose -f cluster.yaml --severity warning -o sarif > podpath.sarif

Checks: ${IDS.join(" ")}`;

/** `podpath diagnose`: what is misconfigured, and which flows it breaks. Exit code 0 when nothing is found of severity error. */
export function diagnoseCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const command = new Command("diagnose")
    .description("what is misconfigured in this topology, and which flows it breaks")
    .addOption(
      new Option("--severity <severity>", "least severity that is told").choices(SEVERITIES).default("info"),
    )
    .addOption(
      new Option("--check <id>", "only this check; may be repeated")
        .choices(IDS)
        .argParser((id: string, ids: readonly string[] = []) => {
          if (!IDS.includes(id))
            command.error(`error: there is no check '${id}'; see podpath diagnose --help`);
          return [...ids, id];
        }),
    )
    .option("--color", "colours even if the output is no terminal")
    .option("--no-color", "no colours")
    .addHelpText("after", EXAMPLES);
  return addCommonOptions(command, ["text", "json", "sarif"]).action((options: DiagnoseOptions) => {
    const findings = find(options, console);
    print(findings, options, command, console);
    finish(findings.some(({ severity }) => severity === "error") ? EXIT.fails : EXIT.ok);
  });
}

function find(options: DiagnoseOptions, console: Console): LocatedFinding[] {
  const log = createLog(console, options.logLevel);
  const sources = readSources(options.file ?? [builtInTopology()]);
  const { model, warnings } = readTopology(sources, console);
  for (const warning of warnings) log.warn(formatFault(warning));
  for (const refusal of refusalsOf(model)) log.warn(refusal);
  const checks = CATALOGUE.filter(({ id }) => options.check?.includes(id) ?? true);
  const progress = new Progress(console, "checks", checks.length);
  const found = diagnose(model, { checks, onCheck: () => progress.step() });
  progress.finish();
  const least = SEVERITIES.indexOf(options.severity);
  const told = found.filter(({ severity }) => SEVERITIES.indexOf(severity) <= least);
  return locateFindings(told, sources, model);
}

function print(
  findings: readonly LocatedFinding[],
  options: DiagnoseOptions,
  command: Command,
  console: Console,
): void {
  switch (options.output) {
    case "json":
      console.out(`${JSON.stringify(diagnosisOf(findings), null, 2)}\n`);
      return;
    case "sarif": {
      const version = command.parent?.version() ?? "0.0.0";
      console.out(`${JSON.stringify(sarifLog(findings, { version, checks: CATALOGUE }), null, 2)}\n`);
      return;
    }
    default:
      console.out(
        renderDiagnosis(findings, {
          color: options.color ?? (console.outIsTerminal && !console.noColor),
          width: Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, console.columns ?? MAX_WIDTH)),
        }),
      );
  }
}
