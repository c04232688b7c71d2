import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LabError } from "./error.ts";
import { labPrefix } from "./name.ts";

/** What is remembered of a lab that is up. */
export interface LabState {
  readonly lab: string;
  /** The agent that serves it. */
  readonly pid: number;
  /** When that process began, in clock ticks since boot: tells it from a later one of the same number. */
  readonly started: string;
  /** Simulated name → the kernel's name. */
  readonly namespaces: Readonly<Record<string, string>>;
}

/** Where `ip netns` keeps the names. */
const NETNS_DIR = "/run/netns";

/** `$XDG_RUNTIME_DIR/podpath`, or a folder of the user's own among the temporary files. Throws LabError when it is not ours. */
function stateFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const runtime = process.env["XDG_RUNTIME_DIR"];
  const folder = runtime ? join(runtime, "podpath") : join(tmpdir(), `podpath-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o022) !== 0)
    throw new LabError(`${folder} is not a folder of this user's alone`);
  return folder;
}

const stateFile = (lab: string): string => join(stateFolder(), `${labPrefix(lab)}lab.json`);

/** A file beside the state, for what a lab's agent has to say. */
export const logFile = (lab: string): string => join(stateFolder(), `${labPrefix(lab)}lab.log`);

export function writeState(state: LabState): void {
  writeFileSync(stateFile(state.lab), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
}

/** Null when nothing is remembered of a lab of that name. */
export function readState(lab: string): LabState | null {
  try {
    return JSON.parse(readFileSync(stateFile(lab), "utf8")) as LabState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return null;
    throw error;
  }
}

export function removeState(lab: string): void {
  rmSync(stateFile(lab), { force: true });
  rmSync(logFile(lab), { force: true });
}

/** When a process began; null when there is none. */
export function startOfProcess(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // the second field, a name in brackets, may hold anything
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

/** Is the agent of that state still the process of its number? */
export const isRunning = ({ pid, started }: LabState): boolean => startOfProcess(pid) === started;

/** The kernel's names of a lab's namespaces that are there now. */
export function namespacesOf(lab: string): string[] {
  try {
    return readdirSync(NETNS_DIR).filter((name) => name.startsWith(labPrefix(lab)));
  } catch {
    return [];
  }
}
