/** What containers run besides servers: the few commands that jobs and tests use, how they end and what they print. */
import type { Container } from "kubernetes-types/core/v1.js";
import type { Program } from "../../cluster/controllers/pod-lifecycle.ts";
import { baseName } from "./image.ts";
import { UBUNTU_PACKAGES } from "./ubuntu-packages.ts";

/** See {@link Program}: null for what runs for ever. */
export function programOf(container: Container): Program | null {
  const run = runOf(container);
  return run === null ? null : { seconds: run.seconds, exitCode: run.exitCode };
}

/** What a container has printed by the time it ends. */
export const logOf = (container: Container): string => runOf(container)?.output ?? "";

interface Run extends Program {
  output: string;
}

function runOf({ image = "", command, args }: Container): Run | null {
  const words = [...(command ?? []), ...(args ?? [])];
  if (words.length > 0) return runCommand(words);
  // what an image runs by itself is a server, or a shell that somebody keeps open
  return baseName(image) === "hello-world"
    ? { seconds: 1, exitCode: 0, output: "Hello from Docker!\n" }
    : null;
}

function runCommand(words: readonly string[]): Run | null {
  const [name = "", ...rest] = words;
  switch (name.slice(name.lastIndexOf("/") + 1)) {
    case "sh":
    case "bash":
      return runScript(rest.at(-1) ?? "");
    case "echo":
      return { seconds: 1, exitCode: 0, output: `${rest.join(" ")}\n` };
    case "true":
      return { seconds: 1, exitCode: 0, output: "" };
    case "false":
      return { seconds: 1, exitCode: 1, output: "" };
    case "exit":
      return { seconds: 1, exitCode: Number(rest[0] ?? 0), output: "" };
    case "sleep":
      return Number.isFinite(Number(rest[0])) ? { seconds: Number(rest[0]), exitCode: 0, output: "" } : null;
    case "dpkg-query":
    case "dpkg":
      return { seconds: 1, exitCode: 0, output: UBUNTU_PACKAGES };
    default:
      return null;
  }
}

/** `sh -c "a; b && c"`: one simple command after the other. */
function runScript(script: string): Run | null {
  const total: Run = { seconds: 0, exitCode: 0, output: "" };
  for (const part of script.split(/;|&&/)) {
    const words = part
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/^["']|["']$/g, ""));
    if (words[0] === "") continue;
    const run = runCommand(words);
    if (run === null) return null;
    total.seconds += run.seconds;
    total.output += run.output;
    total.exitCode = run.exitCode;
    if (run.exitCode !== 0) break;
  }
  return { ...total, seconds: Math.max(1, total.seconds) };
}
