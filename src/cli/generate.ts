import { Command, InvalidArgumentError, Option } from "commander";
import { generateTopology } from "../analysis/generate/generate.ts";
import { BACKENDS, DEFAULT_PLAN, type GeneratePlan, PlanError } from "../analysis/generate/plan.ts";
import { RequestError } from "../trace/request.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { wholeNumber } from "./options.ts";

const EXAMPLES = `
Examples:
  podpath generate --nodes 100 --pods 3000 --services 200 > large.yaml
  podpath generate --nodes 5 --pods 100 --services 10 | podpath trace -f - --from pod/client --to svc/…`;

const MOST = 10_000_000;

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError("It is no share from 0 to 1.");
  return value;
}

function mean(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 1 && value <= MOST))
    throw new InvalidArgumentError("It is no number of at least 1.");
  return value;
}

/** `podpath generate`: a synthetic topology of a given size, as YAML, written as it is made. */
export function generateCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const from = DEFAULT_PLAN;
  return new Command("generate")
    .description("write a synthetic topology of a given size as YAML")
    .option("--nodes <number>", "nodes", wholeNumber(1, MOST), from.nodes)
    .option(
      "--pods <number>",
      "pods in all; those behind no Service are clients",
      wholeNumber(0, MOST),
      from.pods,
    )
    .option("--services <number>", "Services", wholeNumber(0, MOST), from.services)
    .option(
      "--endpoints-per-service <number>",
      "endpoints, in the mean; few Services have many",
      mean,
      from.endpointsPerService,
    )
    .option("--node-ports <share>", "share of the Services that have a node port", share, from.nodePorts)
    .option(
      "--local-policy <share>",
      "share of the Services with a traffic policy Local",
      share,
      from.localPolicy,
    )
    .option("--affinity <share>", "share of the Services with session affinity", share, from.affinity)
    .option("--zones <number>", "zones that nodes are spread over", wholeNumber(1, MOST), from.zones)
    .addOption(new Option("--backend <type>", "flannel's back end").choices(BACKENDS).default(from.backend))
    .option("--seed <number>", "seed of everything random", wholeNumber(0, 2 ** 32 - 1), from.seed)
    .addHelpText("after", EXAMPLES)
    .action((plan: GeneratePlan) => {
      try {
        for (const piece of generateTopology(plan)) console.out(piece);
      } catch (error) {
        if (error instanceof PlanError) throw new RequestError(error.message);
        throw error;
      }
      finish(EXIT.ok);
    });
}
