import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { podpath } from "./run.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const README = join(PROJECT, "README.md");

/** Output of one command of the README, which may end in a pipe to `head`, `tail` or `grep`, or in `> FILE`. */
async function outputOf(command: string, folder: string): Promise<string> {
  const [line, file] = command.split(" > ");
  const [words, filter] = line!.split(" | ");
  const argv = words!.split(" ").slice(1);
  const { out, err } = await podpath(argv.map((word) => placed(word, folder)));
  const shown = filter === undefined ? out : filtered(out, filter);
  if (file !== undefined) writeFileSync(join(folder, file), shown);
  return ((file === undefined ? shown : "") + err).replaceAll(`${folder}/`, "").replaceAll(PROJECT, "");
}

/** A file that the README names: its own in `folder`, the project's under the project. */
function placed(word: string, folder: string): string {
  if (word.startsWith("topologies/")) return join(PROJECT, word);
  return existsSync(join(folder, word)) ? join(folder, word) : word;
}

function filtered(text: string, filter: string): string {
  const lines = text.trimEnd().split("\n");
  const [, tool, count] = /^(head|tail) -n (\d+)$/.exec(filter) ?? [];
  if (tool === "head") return `${lines.slice(0, Number(count)).join("\n")}\n`;
  if (tool === "tail") return `${lines.slice(-Number(count)).join("\n")}\n`;
  const [, pattern] = /^grep '(.+)'$/.exec(filter) ?? [];
  if (pattern === undefined) throw new Error(`cannot do ${filter}`);
  return `${lines.filter((one) => one.includes(pattern)).join("\n")}\n`;
}

/** The README with the output below each command as it is now. */
async function refreshed(text: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "podpath-"));
  try {
    for (const [, name, content] of text.matchAll(/<!-- (\S+) -->\n```\w+\n(.*?)```/gs)) {
      writeFileSync(join(folder, name!), content!);
    }
    const parts = text.split(/(?<=^```console\n)(.*?)(?=^```)/ms);
    for (let i = 1; i < parts.length; i += 2) {
      const commands = parts[i]!.split("\n").filter((line) => line.startsWith("$ "));
      const runs: string[] = [];
      for (const command of commands) runs.push(`${command}\n${await outputOf(command.slice(2), folder)}`);
      parts[i] = runs.join("\n");
    }
    return parts.join("");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it("every command in the README prints what stands there", async () => {
  await expect(await refreshed(readFileSync(README, "utf8"))).toMatchFileSnapshot("../../README.md");
});
