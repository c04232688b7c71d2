import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { TooManyBranchesError } from "../analysis/explore/branching-chooser.ts";
import {
  CONNECTION_STATES,
  type ConnectionState,
  type LocalAddress,
  RULE_PROTOCOLS,
  type RuleFileRequest,
  type RuleProtocol,
} from "../analysis/rule-file/request.ts";
import { explorePacket, judgePacket, readRuleFile } from "../analysis/rule-file/rule-file.ts";
import { renderRuleTrace, renderRuleTraceSet } from "../analysis/rule-file/text.ts";
import { SeededChooser } from "../linux/chooser.ts";
import { RuleSetError } from "../linux/netfilter/rules/error.ts";
import { parseIpv4 } from "../packet/address.ts";
import { RequestError } from "../trace/request.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { createLog } from "./log.ts";
import { addCommonOptions, type CommonOptions, need } from "./options.ts";

interface RulesOptions extends CommonOptions {
  readonly iptablesSave: string;
  readonly from: string;
  readonly to: string;
  readonly inInterface?: string;
  readonly outInterface?: string;
  readonly protocol: RuleProtocol;
  readonly ctstate: ConnectionState;
  readonly mark?: string;
  readonly localAddress?: readonly string[];
  readonly explore?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
}

const EXAMPLES = `
A packet with --in-interface comes to PREROUTING and then, if where it goes is a --local-address, to INPUT,
otherwise to FORWARD and POSTROUTING. One without is made on the machine itself: OUTPUT, POSTROUTING.

Examples:
  iptables-save > node.rules
  podpath rules --iptables-save node.rules --from 10.1.96.10 --to 10.1.96.232:30088 --in-interface ens33 \\
    --out-interface docker0 --local-address 10.1.96.232 --local-address 192.168.97.1%docker0
  podpath rules --iptables-save node.rules --from 192.168.97.2 --to 192.168.10.1:80 --in-interface docker0 --explore`;

/** `podpath rules`: one packet through a rule file alone. Exit code 0 when the rules let it pass. */
export function rulesCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const command = new Command("rules")
    .description("send one packet through a file of iptables-save, without a cluster")
    .option("--iptables-save <file>", "what iptables-save printed; - for standard input")
    .option("--from <address>", "IP[:PORT] it comes from; a local port when left out")
    .option("--to <address>", "IP:PORT it goes to; IP for icmp")
    .option("--in-interface <device>", "device it comes in by; left out: it is made on this machine")
    .option("--out-interface <device>", "device by which it leaves, unless it is for this machine")
    .addOption(new Option("--protocol <protocol>", "what it is").choices(RULE_PROTOCOLS).default("tcp"))
    .addOption(
      new Option("--ctstate <state>", "what connection tracking knows of it")
        .choices(CONNECTION_STATES)
        .default("NEW"),
    )
    .option("--mark <number>", "N or N/MASK: mark it comes with")
    .option(
      "--local-address <address>",
      "IP[/LENGTH][%DEVICE] of this machine; may be repeated",
      (address: string, addresses: readonly string[] = []) => [...addresses, address],
    )
    .option("--explore", "every random branch, with its exact probability")
    .option("-v, --verbose", "whole rules; with --explore the rules of every branch")
    .option("--color", "colours even if the output is no terminal")
    .option("--no-color", "no colours")
    .addHelpText("after", EXAMPLES);
  return addCommonOptions(command, ["text", "json"]).action((options: RulesOptions) => {
    if (command.getOptionValue("iptablesSave") === undefined)
      command.error("error: required option '--iptables-save' not specified");
    need(command, "from", "to");
    if (options.file !== undefined)
      createLog(console, options.logLevel).warn("rules looks at one rule file alone: --file is not read");
    finish(judge(options, console));
  });
}

function judge(options: RulesOptions, console: Console): ExitCode {
  const { iptablesSave: name, seed } = options;
  const request = requestOf(options);
  const text = readText(name);
  const style = {
    verbose: options.verbose ?? false,
    color: options.color ?? (console.outIsTerminal && !console.noColor),
  };
  const json = options.output === "json";
  try {
    const file = readRuleFile(name, text);
    if (options.explore) {
      const set = explorePacket(file, request, seed);
      console.out(json ? `${JSON.stringify(set, null, 2)}\n` : renderRuleTraceSet(set, style));
      return set.branches.every(({ trace }) => trace.verdict === "accepted") ? EXIT.ok : EXIT.fails;
    }
    const trace = judgePacket(file, request, new SeededChooser(seed));
    console.out(json ? `${JSON.stringify(trace, null, 2)}\n` : renderRuleTrace(trace, style));
    return trace.verdict === "accepted" ? EXIT.ok : EXIT.fails;
  } catch (error) {
    if (error instanceof TooManyBranchesError) throw new RequestError(`--explore: ${error.message}`);
    if (!(error instanceof RuleSetError)) throw error;
    console.err(`${name}${error.line === null ? "" : `:${error.line}`}: ${error.detail}\n`);
    return EXIT.usage;
  }
}

function readText(name: string): string {
  try {
    return readFileSync(name === "-" ? 0 : name, "utf8");
  } catch (error) {
    throw new RequestError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const LOCAL_PORTS = [32768, 60999] as const;

function requestOf(options: RulesOptions): RuleFileRequest {
  const { protocol, seed, inInterface, outInterface, ctstate, mark, localAddress = [] } = options;
  const source = endpoint("--from", options.from);
  const destination = endpoint("--to", options.to);
  const icmp = protocol === "icmp";
  if (icmp && (source.port !== null || destination.port !== null))
    throw new RequestError("icmp has no ports: --from and --to are addresses alone");
  if (!icmp && destination.port === null)
    throw new RequestError(`--to ${options.to}: a port is needed, as IP:PORT`);
  const [least, most] = LOCAL_PORTS;
  const localPort = icmp ? 0 : least + new SeededChooser(seed).pick(most - least + 1);
  return {
    protocol,
    source: source.address,
    sourcePort: source.port ?? localPort,
    destination: destination.address,
    destinationPort: destination.port ?? 0,
    inDevice: device("--in-interface", inInterface),
    outDevice: device("--out-interface", outInterface),
    state: ctstate,
    mark: mark === undefined ? 0 : markOf(mark),
    localAddresses: localAddress.map(localAddressOf),
  };
}

function endpoint(option: string, text: string): { address: number; port: number | null } {
  const [address = "", port, ...rest] = text.split(":");
  if (rest.length > 0) throw new RequestError(`${option} ${text}: it is no IP:PORT`);
  const number = Number(port);
  if (port !== undefined && (!/^\d+$/.test(port) || number < 1 || number > 65535))
    throw new RequestError(`${option} ${text}: port ${port} is no number from 1 to 65535`);
  return { address: ipv4(option, text, address), port: port === undefined ? null : number };
}

function ipv4(option: string, text: string, address: string): number {
  try {
    return parseIpv4(address);
  } catch {
    throw new RequestError(
      `${option} ${text}: ${address === "" ? "it has no address" : `${address} is no IPv4 address`}`,
    );
  }
}

const IFNAMSIZ = 16;

function device(option: string, name: string | undefined): string | null {
  if (name === undefined) return null;
  if (name === "" || name.length >= IFNAMSIZ || /[\s/]/.test(name))
    throw new RequestError(`${option} ${name}: it is no name of a device`);
  return name;
}

function localAddressOf(text: string): LocalAddress {
  const m = /^([^/%]*)(?:\/(\d+))?(?:%(.+))?$/.exec(text);
  const prefixLength = Number(m?.[2] ?? 32);
  if (m === null || prefixLength > 32)
    throw new RequestError(`--local-address ${text}: it is no IP[/LENGTH][%DEVICE]`);
  return {
    address: ipv4("--local-address", text, m[1]!),
    prefixLength,
    device: device("--local-address", m[3]),
  };
}

/** `N` or `N/MASK` in decimal or hexadecimal: the bits of N within the mask, as of a packet that had no mark. */
function markOf(text: string): number {
  const parts = text.split("/");
  const numbers = parts.map((part) => (/^(0x[0-9a-f]+|\d+)$/i.test(part) ? Number(part) : Number.NaN));
  if (parts.length > 2 || !numbers.every((n) => n <= 0xffffffff))
    throw new RequestError(`--mark ${text}: it is no 32-bit N or N/MASK`);
  const [mark = 0, mask = 0xffffffff] = numbers;
  return (mark & mask) >>> 0;
}
