import { Command, Option } from "commander";
import { TooManyBranchesError } from "../analysis/explore/branching-chooser.ts";
import { renderTraceSet } from "../analysis/explore/text.ts";
import { exploreTrace, type TraceSet } from "../analysis/explore/trace-set.ts";
import type { TraceableCluster } from "../trace/cluster.ts";
import { PROTOCOLS, RequestError, type TraceProtocol, type TraceRequest } from "../trace/request.ts";
import { send } from "../trace/send.ts";
import { renderTrace } from "../trace/text/render.ts";
import { oneLine, totalLines } from "../trace/text/verdict-text.ts";
import type { Trace } from "../trace/trace.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { loadTraceable } from "./load-cluster.ts";
import { createLog } from "./log.ts";
import { addCommonOptions, type CommonOptions, need, wholeNumber } from "./options.ts";
import { Progress } from "./progress.ts";
import { captured, checkFormat, isPicture, picture, TRACE_FORMATS } from "./trace-format.ts";

interface TraceOptions extends CommonOptions {
  readonly from: string;
  readonly to: string;
  readonly protocol?: TraceProtocol;
  readonly sourcePort?: number;
  readonly ttl?: number;
  readonly size?: number;
  readonly dontFragment?: boolean;
  readonly reply: boolean;
  readonly count?: number;
  readonly explore?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
}

const MAX_COUNT = 1_000_000;
const MAX_WIDTH = 100;
const MIN_WIDTH = 60;

const EXAMPLES = `
A source is pod/[NAMESPACE/]NAME, node/NAME or host/NAME. A target is svc/[NAMESPACE/]NAME:PORT,
pod/[NAMESPACE/]NAME:PORT, node/NAME:PORT, host/NAME:PORT, localhost:PORT or IP:PORT; no :PORT for icmp.

Examples:
  podpath trace --from pod/client --to svc/nginx:80
  podpath trace --from pod/client --to svc/nginx:80 --explore
  podpath trace --from host/laptop --to node/srv-k8s-node1:30088 --verbose
  podpath trace --from pod/client --to pod/client2 --protocol icmp --ttl 3 -o json
  podpath trace --from pod/client --to svc/nginx:80 -o pcapng | wireshark -k -i -
  podpath trace --from pod/client --to svc/nginx:80 -o html > trace.html`;

/** `podpath trace`: one packet's whole way. Exit code 0 when it is delivered, and its answer too unless none is wanted. */
export function traceCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const command = new Command("trace")
    .description("send one packet and, if it reaches a listener, the answer; tell every step")
    .option("--from <source>", "who sends")
    .option("--to <target>", "whom to")
    .addOption(new Option("--protocol <protocol>", "default: the port's own, or tcp").choices(PROTOCOLS))
    .option("--source-port <port>", "default: one of the sender's local ports", wholeNumber(1, 65535))
    .option("--ttl <hops>", "default: the sender's own", wholeNumber(1, 255))
    .option("--size <bytes>", "udp, icmp: IP payload; tcp: data once connected", wholeNumber(0, 65515))
    .option("--dont-fragment", "udp, icmp: set DF")
    .option("--no-reply", "stop where a listener has the packet")
    .option("--count <packets>", "so many, each from a new source port", wholeNumber(1, MAX_COUNT))
    .addOption(
      new Option("--explore", "every random branch, with its exact probability").conflicts([
        "count",
        "verbose",
      ]),
    )
    .option("-v, --verbose", "every step: ARP, conntrack, bridge, all rules that matched")
    .option("--color", "colours even if the output is no terminal")
    .option("--no-color", "no colours")
    .addHelpText("after", EXAMPLES);
  return addCommonOptions(command, TRACE_FORMATS).action(async (options: TraceOptions) => {
    need(command, "from", "to");
    checkFormat(options.output, options, console);
    const cluster = loadTraceable(options, createLog(console, options.logLevel), console);
    const good = options.explore
      ? traceBranches(cluster, options, console)
      : options.count === undefined
        ? await traceOnce(cluster, options, console)
        : traceMany(cluster, options, console);
    finish(good ? EXIT.ok : EXIT.fails);
  });
}

function requestOf(options: TraceOptions): TraceRequest {
  const { from, to, reply, protocol, sourcePort, ttl, size, dontFragment } = options;
  return {
    from,
    to,
    reply,
    ...(protocol === undefined ? {} : { protocol }),
    ...(sourcePort === undefined ? {} : { sourcePort }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(size === undefined ? {} : { size }),
    ...(dontFragment === undefined ? {} : { dontFragment }),
  };
}

/** Did everything arrive that was to arrive? */
const arrived = ({ verdict, reply }: Trace): boolean =>
  verdict === "delivered" && (reply === null || reply.verdict === "delivered");

async function traceOnce(
  cluster: TraceableCluster,
  options: TraceOptions,
  console: Console,
): Promise<boolean> {
  const { output } = options;
  const trace = senderOf(cluster, options, console)(requestOf(options));
  if (output === "json") console.out(`${JSON.stringify(trace, null, 2)}\n`);
  else if (isPicture(output)) console.out(await picture(cluster, trace, output));
  else if (output === "text")
    console.out(
      renderTrace(trace, {
        verbose: options.verbose ?? false,
        color: options.color ?? (console.outIsTerminal && !console.noColor),
        width: Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, console.columns ?? MAX_WIDTH)),
      }),
    );
  return arrived(trace);
}

/** Sends; where a capture is wanted, writes it. */
function senderOf(
  cluster: TraceableCluster,
  { output }: TraceOptions,
  console: Console,
): (request: TraceRequest) => Trace {
  if (output !== "pcapng") return (request) => send(cluster, request);
  const capture = captured(cluster, console);
  return (request) => capture(() => send(cluster, request));
}

/** Every branch of chance. Good when everything arrives in each. */
function traceBranches(cluster: TraceableCluster, options: TraceOptions, console: Console): boolean {
  const set = branchesOf(cluster, options);
  const color = options.color ?? (console.outIsTerminal && !console.noColor);
  console.out(options.output === "json" ? `${JSON.stringify(set, null, 2)}\n` : renderTraceSet(set, color));
  return set.branches.every(({ trace }) => arrived(trace));
}

function branchesOf(cluster: TraceableCluster, options: TraceOptions): TraceSet {
  try {
    return exploreTrace(cluster, requestOf(options), { seed: options.seed });
  } catch (error) {
    if (error instanceof TooManyBranchesError) throw new RequestError(`--explore: ${error.message}`);
    throw error;
  }
}

/** JSON: a trace a line. Text: a line each, and what it comes to. pcapng: one capture. */
function traceMany(cluster: TraceableCluster, options: TraceOptions, console: Console): boolean {
  const count = options.count!;
  const request = requestOf(options);
  const progress = new Progress(console, "packets", count);
  const totals = new Map<string, number>();
  const sendOne = senderOf(cluster, options, console);
  let good = true;
  for (let i = 0; i < count; i++) {
    const trace = sendOne(nthRequest(request, i));
    good &&= arrived(trace);
    if (options.output === "json") console.out(`${JSON.stringify(trace)}\n`);
    else if (options.output === "text") {
      console.out(`${oneLine(trace)}\n`);
      const outcome = outcomeOf(trace);
      totals.set(outcome, (totals.get(outcome) ?? 0) + 1);
    }
    progress.step();
  }
  progress.finish();
  if (options.output === "text") console.out(totalLines(totals, count));
  return good;
}

/** A source port that was asked for counts up from packet to packet, and begins anew after 65535. */
function nthRequest(request: TraceRequest, i: number): TraceRequest {
  if (request.sourcePort === undefined) return request;
  return { ...request, sourcePort: 1 + ((request.sourcePort - 1 + i) % 65535) };
}

function outcomeOf({ verdict, reason, delivered, reply }: Trace): string {
  if (delivered === null) return reason === null ? verdict : `${verdict} ${reason}`;
  const lost = reply !== null && reply.verdict !== "delivered" ? `, reply ${reply.verdict}` : "";
  return `delivered to ${delivered.netns}${lost}`;
}
