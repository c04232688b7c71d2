import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Logger } from "pino";
import { type Judgement, judge, readExpectation } from "../analysis/reach/expectation.ts";
import { isWorthWorkers, type ReachInWorkers, reachInWorkers } from "../analysis/reach/in-workers.ts";
import { JobError, jobManifest } from "../analysis/reach/job.ts";
import { type ReachOptions, reach } from "../analysis/reach/reach.ts";
import type { Reach, Shard } from "../analysis/reach/result.ts";
import { differencesText } from "../analysis/reach/table.ts";
import { defaultWorkers } from "../analysis/workers/pool.ts";
import type { ClusterModel } from "../cluster/objects/model.ts";
import { loadTopology } from "../topology/load/load.ts";
import { builtInTopology, readSources } from "../topology/load/source.ts";
import { RequestError } from "../trace/request.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { buildCluster, loadModel } from "./load-cluster.ts";
import { createLog } from "./log.ts";
import { addCommonOptions, type CommonOptions, wholeNumber, workersOption } from "./options.ts";
import { Progress } from "./progress.ts";
import { REACH_FORMATS, type ReachOutputOptions, writeReach } from "./reach-output.ts";

interface ReachCommandOptions extends CommonOptions, ReachOutputOptions {
  readonly expect?: string;
  readonly shard?: Shard;
  readonly workers?: number;
  readonly emitJob?: number;
  readonly image: string;
}

const MOST_PARTS = 10_000;

const EXAMPLES = `
An expectation is YAML: lists allowed and forbidden of {from, to}, with * for any part of a name, as in
  allowed:   [{from: "pod/shop/*", to: "svc/shop/*:*"}, {from: host/laptop, to: "node/*:30088", probability: 0.75}]
  forbidden: [{from: "host/*", to: "pod/*/*:*"}]

Examples:
  podpath reach -f cluster.yaml --failures
  podpath reach -f cluster.yaml --expect expected.yaml -o junit > reach.xml
  podpath reach -f cluster.yaml --shard 0/2 -o json --out part-0.json; podpath merge part-0.json part-1.json
  podpath reach -f cluster.yaml --emit-job 8 | kubectl apply -f -`;

/** `podpath reach`: who reaches whom. Exit code 1 when an expectation does not hold. */
export function reachCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const command = new Command("reach")
    .description("who reaches which Service port, node port, load balancer and pod, with what probability")
    .option("--expect <file>", "hold it against allowed and forbidden pairs")
    .option("--failures", "table: only what is not answered always")
    .option("--shard <part>", "I/N: part I, from 0, of N", shardOf)
    .addOption(workersOption())
    .option("--out <file>", "write there instead of to standard output")
    .addOption(
      new Option("--emit-job <parts>", "print a Kubernetes Job that does it in so many parts")
        .argParser(wholeNumber(1, MOST_PARTS))
        .conflicts(["shard", "expect", "failures"]),
    )
    .option("--image <name>", "--emit-job: the image with podpath in it", "podpath:latest")
    .option("--color", "colours even if the output is no terminal")
    .option("--no-color", "no colours")
    .addHelpText("after", EXAMPLES);
  return addCommonOptions(command, REACH_FORMATS).action(async (options: ReachCommandOptions) => {
    if (options.emitJob !== undefined) {
      console.out(manifest(options, options.emitJob));
      finish(EXIT.ok);
      return;
    }
    if (options.shard !== undefined && options.expect !== undefined)
      throw new RequestError("--expect needs the whole: hold it against what merge gives");
    const result = await reachAll(options, console);
    finish(conclude(result, options, console));
  });
}

async function reachAll(options: ReachCommandOptions, console: Console): Promise<Reach> {
  const log = createLog(console, options.logLevel);
  const model = loadModel(options, log, console);
  const workers = options.workers ?? (isWorthWorkers(model) ? defaultWorkers() : 1);
  let progress: Progress | null = null;
  const request: ReachOptions = {
    seed: options.seed,
    ...(options.shard === undefined ? {} : { shard: options.shard }),
    onProgress: (done, total) => {
      progress ??= new Progress(console, "targets", total);
      progress.reached(done);
    },
  };
  const { result, traced } =
    workers === 1
      ? reach(buildCluster(model, options, log), request)
      : await reachByWorkers(model, { ...request, workers }, log);
  (progress as Progress | null)?.finish();
  log.debug({ ...traced, workers }, "reach done");
  return result;
}

async function reachByWorkers(
  model: ClusterModel,
  request: ReachOptions & { readonly workers: number },
  log: Logger,
): Promise<ReachInWorkers> {
  const found = await reachInWorkers(model, request);
  for (const refusal of found.refused) log.warn(refusal);
  return found;
}

/** Holds a whole against an expectation, if there is one, and writes both. Differences go to standard error. */
export function conclude(
  result: Reach,
  options: ReachOutputOptions & { readonly expect?: string },
  console: Console,
): ExitCode {
  const judgements = options.expect === undefined ? null : judgementsOf(result, options.expect);
  writeReach(result, judgements, options, console);
  const differences = differencesText(judgements ?? []);
  console.err(differences);
  return differences === "" ? EXIT.ok : EXIT.fails;
}

function judgementsOf(result: Reach, file: string): Judgement[] {
  return judge(result, readExpectation(file, readText(file)), file);
}

/** @throws RequestError when the file cannot be read. */
export function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new RequestError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function shardOf(text: string): Shard {
  const m = /^(\d+)\/(\d+)$/.exec(text);
  const [index, count] = [Number(m?.[1]), Number(m?.[2])];
  if (m === null || count < 1 || count > MOST_PARTS || index >= count)
    throw new InvalidArgumentError("It is no I/N with I from 0 to N - 1.");
  return { index, count };
}

function manifest({ file, seed, image }: ReachCommandOptions, count: number): string {
  const sources = readSources(file ?? [builtInTopology()]);
  // what does not load here does not load there
  loadTopology(sources);
  const topology = new Map<string, string>();
  for (const [i, source] of sources.entries())
    if ("text" in source) {
      const name = source.file === "-" ? "stdin.yaml" : basename(source.file);
      topology.set(topology.has(name) ? `${i}-${name}` : name, source.text);
    }
  try {
    return jobManifest({ count, topology, image, seed });
  } catch (error) {
    if (error instanceof JobError) throw new RequestError(`--emit-job: ${error.message}`);
    throw error;
  }
}
