import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { podpath } from "./run.ts";

const README = new URL("../../README.md", import.meta.url);

/** Output of one command of the README, which may end in a pipe to `head`, `tail` or `grep`. */
async function outputOf(command: string, folder: string): Promise<string> {
  const [line, filter] = command.split(" | ");
  const words = line!.split(" ").slice(1);
  const argv = words.map((word) => (word === "example.yaml" ? join(folder, word) : word));
  const { out, err } = await podpath(argv);
  return (filter === undefined ? out : filtered(out, filter)) + err.replaceAll(`${folder}/`, "");
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
    const [, example] = /<!-- example\.yaml -->\n```yaml\n(.*?)```/s.exec(text) ?? [];
    writeFileSync(join(folder, "example.yaml"), example ?? "");
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
