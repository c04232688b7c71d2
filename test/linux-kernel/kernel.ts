import { spawn, spawnSync } from "node:child_process";
import { formatMac } from "../../src/packet/address.ts";
import { macsOf, restoreText } from "../linux/lab.ts";
import { capturedLine } from "./frame-line.ts";
import { type Seen, type Situation, STEP_MS, stepForKernel } from "./step.ts";

/** What this machine lacks for making namespaces of the real kernel; null when nothing. */
export function missingForKernel(): string | null {
  const tools = "command -v python3 ip bridge iptables-legacy-restore conntrack >/dev/null";
  const probe = spawnSync("unshare", [
    "-n",
    "sh",
    "-c",
    `${tools} && iptables-legacy-save >/dev/null && conntrack -L`,
  ]);
  if (probe.status === 0) return null;
  return "comparison with the kernel needs root, python3, iproute2, iptables-legacy and conntrack";
}

interface Captured {
  steps: { frames: [string, string, string][]; errno: string | null; connections: string[] }[];
  conntrack: Record<string, string[]>;
  counters: Record<string, string[]>;
}

/** Does a situation in namespaces of the real kernel. They are gone when this resolves or rejects. */
export async function replayInKernel(situation: Situation): Promise<Seen> {
  const macs = Object.fromEntries([...macsOf(situation.plan)].map(([at, mac]) => [at, formatMac(mac)]));
  const rules = Object.fromEntries(
    Object.entries(situation.plan.namespaces).map(([name, part]) => [name, restoreText(part)]),
  );
  const input = {
    plan: situation.plan,
    macs,
    rules,
    steps: situation.steps.map(stepForKernel),
    inspect: situation.inspect ?? [],
    follow: situation.follow ?? false,
    stepMs: STEP_MS,
  };
  const captured = JSON.parse(await run(JSON.stringify(input))) as Captured;
  return {
    steps: captured.steps.map(({ frames, errno, connections }) => ({
      frames: byDevice(frames),
      errno,
      connections: connections.map(timedLine).sort(),
    })),
    conntrack: mapValues(captured.conntrack, (lines) => lines.map(conntrackLine).sort()),
    counters: mapValues(captured.counters, countersOf),
  };
}

function run(input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // a namespace of its own before anything else happens
    const child = spawn("unshare", ["-n", "python3", `${import.meta.dirname}/replay.py`], {
      timeout: 30_000,
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.on("close", (code) => (code === 0 ? resolve(out) : reject(new Error(`replay.py: ${err}`))));
    child.stdin.end(input);
  });
}

function byDevice(frames: readonly [string, string, string][]): Record<string, string[]> {
  const seen: Record<string, string[]> = {};
  for (const [at, direction, hex] of frames) {
    seen[`${at} ${direction}`] ??= [];
    seen[`${at} ${direction}`]!.push(capturedLine(Buffer.from(hex, "hex")));
  }
  return seen;
}

const mapValues = (record: Record<string, string[]>, f: (lines: string[]) => string[]) =>
  Object.fromEntries(Object.entries(record).map(([key, lines]) => [key, f(lines)]));

/** `conntrack -L` without timeout, use count and what else depends on the moment. */
const conntrackLine = (line: string): string =>
  line
    .replace(/^(\S+)\s+(\d+)\s+\d+ /, "$1 $2 ")
    .replace(/ use=\d+/, "")
    .replace(/ mark=0/, "")
    .replace(/ secctx=\S+/, "")
    .trim();

/** The same with the timeout to the nearest ten seconds. */
const timedLine = (line: string): string => {
  const seconds = Number(/^\S+\s+\d+\s+(\d+) /.exec(line)?.[1]);
  return `${conntrackLine(line)} (${Math.round((seconds + 1) / 10) * 10} s)`;
};

/** Chains and rules that have counted something. */
export const countersOf = (lines: readonly string[]): string[] => {
  const counted: string[] = [];
  let table = "";
  for (const line of lines) {
    if (line.startsWith("*")) table = line.slice(1);
    const counters = /\[(\d+):\d+\]/.exec(line);
    if (counters !== null && counters[1] !== "0") counted.push(`${table} ${line.trim()}`);
  }
  return counted.sort();
};
