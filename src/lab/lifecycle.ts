import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { SimulatedCluster } from "../cluster/build/cluster.ts";
import { Agent } from "./agent.ts";
import { LabError } from "./error.ts";
import { kernelNetnsName } from "./name.ts";
import { labPlan } from "./plan.ts";
import type { IptablesVariant } from "./requirements.ts";
import {
  isRunning,
  logFile,
  namespacesOf,
  readState,
  removeState,
  startOfProcess,
  writeState,
} from "./state.ts";

const PATIENCE_MS = 15_000;
const STEP_MS = 20;

/**
 * Builds a cluster in real namespaces that stay, served by an agent of their own, until `labDown`.
 *
 * @returns what the kernel refused that is no reason to stop (`NETNS: SYSCTL = VALUE`).
 * @throws LabError when a lab of that name is up, or the kernel refuses what it cannot do without; nothing stays then.
 */
export async function labUp(
  cluster: SimulatedCluster,
  lab: string,
  iptables: IptablesVariant,
): Promise<readonly string[]> {
  if (namespacesOf(lab).length > 0)
    throw new LabError(
      `lab ${lab} is up already, or what a crash left of it: podpath lab down takes it away`,
    );
  const agent = Agent.start("stay", logFile(lab));
  const names = [...cluster.network.namespaces.keys()];
  writeState({
    lab,
    pid: agent.pid,
    started: startOfProcess(agent.pid) ?? "",
    namespaces: Object.fromEntries(names.map((name) => [name, kernelNetnsName(lab, name)])),
  });
  try {
    const refused = await agent.build(labPlan(cluster, lab, iptables), false);
    agent.release();
    return refused;
  } catch (error) {
    await agent.close();
    await labDown(lab);
    throw error;
  }
}

/**
 * Takes a lab away, as `labUp` made it or as a crash left it: its agent, and every namespace of its prefix.
 *
 * @returns how many namespaces there were.
 */
export async function labDown(lab: string): Promise<number> {
  const count = namespacesOf(lab).length;
  const state = readState(lab);
  if (state !== null && isRunning(state)) {
    process.kill(state.pid, "SIGTERM");
    const end = Date.now() + PATIENCE_MS;
    while (isRunning(state) && Date.now() < end) await sleep(STEP_MS);
    if (isRunning(state)) process.kill(state.pid, "SIGKILL");
  }
  for (const name of namespacesOf(lab)) {
    const { status, stderr } = spawnSync("ip", ["netns", "delete", name], { encoding: "utf8" });
    if (status !== 0) throw new LabError(`ip netns delete ${name}: ${stderr.trim()}`);
  }
  removeState(lab);
  return count;
}

/**
 * Runs a command in a namespace of a lab that is up, on this process's own standard streams.
 *
 * @returns its exit code; 128 and the signal's number for one that a signal ended is the shell's affair: here 1.
 * @throws LabError when the lab or the namespace is not there.
 */
export function labExec(lab: string, netns: string, command: readonly string[]): number {
  const real = readState(lab)?.namespaces[netns] ?? kernelNetnsName(lab, netns);
  if (!namespacesOf(lab).includes(real))
    throw new LabError(`lab ${lab} has no namespace ${netns}: podpath lab up builds it`);
  const { status, error } = spawnSync("nsenter", [`--net=/run/netns/${real}`, "--", ...command], {
    stdio: "inherit",
  });
  if (error !== undefined) throw new LabError(error.message);
  return status ?? 1;
}
