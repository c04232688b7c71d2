import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { LabError } from "../lab/error.ts";
import { labDown, labExec, labUp } from "../lab/lifecycle.ts";
import { type PlannedFlow, randomFlows } from "../lab/random-flow.ts";
import { reportJson, reportText } from "../lab/report.ts";
import { type IptablesVariant, missingRequirements } from "../lab/requirements.ts";
import { LabSession } from "../lab/session.ts";
import { holds, verifyFlows } from "../lab/verify.ts";
import { SeededChooser } from "../linux/chooser.ts";
import { formatIpv4 } from "../packet/address.ts";
import { PROTOCOLS, RequestError, type TraceProtocol } from "../trace/request.ts";
import { resolveSource } from "../trace/resolve.ts";
import { settleRequest } from "../trace/settle.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { loadCluster } from "./load-cluster.ts";
import { createLog } from "./log.ts";
import { addCommonOptions, type CommonOptions, wholeNumber } from "./options.ts";
import { Progress } from "./progress.ts";

interface LabOptions extends CommonOptions {
  readonly name?: string;
  readonly iptables: IptablesVariant;
}

interface VerifyCommandOptions extends LabOptions {
  readonly flows: number;
  readonly flow?: readonly string[];
  readonly time: number;
}

const EXAMPLES = `
Needs Linux, root, and the tools ip, bridge, nsenter, python3, nfacct and iptables. Everything is made inside network
namespaces of its own (ip netns: pp-LAB_…); nothing else is touched.

Examples:
  podpath lab up
  podpath lab exec pod/client -- ping -c 1 192.168.96.2
  podpath lab down
  podpath lab verify --flows 200 --seed 7
  podpath lab verify --flow pod/client,svc/nginx:80 --flow host/laptop,node/srv-k8s-node1:30088,tcp,3`;

/** `podpath lab`: the cluster in real network namespaces, and flows held against what the kernel does with them. */
export function labCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const lab = new Command("lab")
    .description("the cluster of a topology in real network namespaces (Linux, root)")
    .addHelpText("after", EXAMPLES);
  const sub = (name: string, description: string, formats: readonly [string, ...string[]] = ["text"]) => {
    const command = new Command(name)
      .description(description)
      .option("--name <lab>", "the lab's name (default: the cluster's)")
      .addOption(
        new Option("--iptables <variant>", "which iptables").choices(["nft", "legacy"]).default("nft"),
      );
    lab.addCommand(addCommonOptions(command, formats));
    return command;
  };
  sub("up", "build it").action(guarded(console, finish, (options) => up(options, console)));
  sub("down", "take it away, also what a crash has left").action(
    guarded(console, finish, (options) => down(options, console)),
  );
  sub("exec", "run a command in one of its namespaces")
    .addArgument(new Argument("<where>", "pod/[NAMESPACE/]NAME, node/NAME or host/NAME"))
    .addArgument(new Argument("<command...>", "after --"))
    .action((where: string, words: readonly string[], options: LabOptions) =>
      guarded(console, finish, () => exec(where, words, options, console))(options),
    );
  addVerifyOptions(sub("verify", "send flows in both worlds and compare", ["text", "json"])).action(
    guarded(console, finish, (options: VerifyCommandOptions) => verify(options, console)),
  );
  for (const command of lab.commands) command.exitOverride().configureOutput(outputOf(console));
  return lab;
}

const outputOf = (console: Console) => ({
  writeOut: console.out,
  writeErr: console.err,
  outputError: (text: string, write: (text: string) => void) =>
    write(`podpath: ${text.trim().replaceAll("\n", " ")}\n`),
});

/** Checks first what the lab needs; what the kernel refuses is told in one line. */
const guarded =
  <T extends LabOptions>(
    console: Console,
    finish: (code: ExitCode) => void,
    act: (options: T) => Promise<boolean>,
  ) =>
  async (options: T): Promise<void> => {
    const missing = missingRequirements(options.iptables);
    if (missing.length > 0) throw new RequestError(`the lab needs ${missing.join(", ")}`);
    try {
      finish((await act(options)) ? EXIT.ok : EXIT.fails);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      console.err(`podpath: ${error.message}\n`);
      finish(EXIT.fails);
    }
  };

function clusterOf(options: LabOptions, console: Console) {
  const log = createLog(console, options.logLevel);
  const cluster = loadCluster(options, log, console);
  return { log, cluster, lab: options.name ?? cluster.model.name };
}

async function up(options: LabOptions, console: Console): Promise<boolean> {
  const { log, cluster, lab } = clusterOf(options, console);
  const began = performance.now();
  for (const refused of await labUp(cluster, lab, options.iptables)) log.info(`not set: ${refused}`);
  const count = cluster.network.namespaces.size + cluster.network.segments.size;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.out(`lab ${lab} is up: ${count} namespaces in ${seconds} s\n`);
  return true;
}

async function down(options: LabOptions, console: Console): Promise<boolean> {
  const { lab } = clusterOf(options, console);
  const count = await labDown(lab);
  console.out(count === 0 ? `lab ${lab} was not up\n` : `lab ${lab} is gone: ${count} namespaces\n`);
  return true;
}

async function exec(
  where: string,
  words: readonly string[],
  options: LabOptions,
  console: Console,
): Promise<boolean> {
  const { cluster, lab } = clusterOf(options, console);
  const netns = cluster.network.namespaces.has(where) ? where : resolveSource(cluster, where).name;
  return labExec(lab, netns, words) === 0;
}

const MOST_FLOWS = 1_000_000;
const MOST_SECONDS = 86_400;

const addVerifyOptions = (command: Command): Command =>
  command
    .option("--flows <number>", "so many random flows", wholeNumber(1, MOST_FLOWS), 50)
    .option(
      "--flow <FROM,TO[,PROTOCOL[,TTL]]>",
      "this flow instead of random ones; may be repeated",
      (flow: string, flows: readonly string[] = []) => [...flows, flow],
    )
    .option("--time <seconds>", "begin no flow after so long", wholeNumber(1, MOST_SECONDS), 600);

async function verify(options: VerifyCommandOptions, console: Console): Promise<boolean> {
  const { cluster, lab, log } = clusterOf(options, console);
  const { seed, iptables } = options;
  const session = await LabSession.open(cluster.model, { lab: `${lab}-v${process.pid}`, iptables, seed });
  for (const refused of session.refused) log.info(`not set: ${refused}`);
  try {
    const flows =
      options.flow?.map((text, i) => flowOf(session, text, i)) ??
      randomFlows(session.cluster, new SeededChooser(seed));
    const limit = options.flow?.length ?? options.flows;
    const progress = new Progress(console, "flows", limit);
    const deadlineMs = performance.now() + options.time * 1000;
    const report = await verifyFlows(session, { flows, limit, deadlineMs, onFlow: () => progress.step() });
    progress.finish();
    const about = { topology: cluster.model.name, seed, iptables };
    if (options.output === "json") console.out(`${JSON.stringify(reportJson(report, about), null, 2)}\n`);
    else console.out(`seed ${seed}, iptables-${iptables}\n${reportText(report)}`);
    return holds(report);
  } finally {
    await session.close();
  }
}

const GIVEN_PORT = 10_000;
const GIVEN_TIMEOUT_MS = 3300;
const TRANSPORT_HEADER = 8;

/** A flow as it is given: the words of `trace`, separated by commas. */
function flowOf(session: LabSession, text: string, i: number): PlannedFlow {
  const [from, to, protocol, ttl] = text.split(",");
  if (from === undefined || to === undefined)
    throw new InvalidArgumentError(`--flow ${text}: expected FROM,TO[,PROTOCOL[,TTL]]`);
  if (protocol !== undefined && !(PROTOCOLS as readonly string[]).includes(protocol))
    throw new RequestError(`--flow ${text}: unknown protocol ${protocol}`);
  const settled = settleRequest(session.cluster, {
    from,
    to,
    ...(protocol === undefined ? {} : { protocol: protocol as TraceProtocol }),
    ...(ttl === undefined ? {} : { ttl: Number(ttl) }),
  });
  if (settled.protocol === "sctp") throw new RequestError(`--flow ${text}: the lab sends no sctp`);
  return {
    kind: "given",
    keep: false,
    request: {
      from: settled.sender.name,
      protocol: settled.protocol,
      destination: formatIpv4(settled.target.address),
      port: settled.target.port ?? 0,
      sourcePort: GIVEN_PORT + i,
      ...(settled.ttl === undefined ? {} : { ttl: settled.ttl }),
      size: settled.protocol === "tcp" ? settled.size : settled.size - TRANSPORT_HEADER,
      discovery: settled.dontFragment ? "do" : "dont",
      timeoutMs: GIVEN_TIMEOUT_MS,
    },
  };
}
