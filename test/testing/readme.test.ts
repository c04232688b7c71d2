import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

/** Where packages are that a user would have installed. */
const installed: Readonly<Record<string, string>> = {
  "podpath/testing": new URL("../../src/testing/index.ts", import.meta.url).href,
  "fast-check": import.meta.resolve("fast-check"),
};

/** A block of the README under its file's name, with what it imports as it is here. */
function block(name: string): string {
  const [, text] = readme.split(`<!-- ${name} -->\n\`\`\`js\n`);
  return text!
    .split("```")[0]!
    .replaceAll(/from "([^".]+)"/g, (_, specifier: string) => `from "${installed[specifier]}"`);
}

it("the README's check of a property in workers runs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "podpath-readme-"));
  try {
    writeFileSync(join(folder, "package.json"), '{"type": "module"}');
    writeFileSync(join(folder, "reachable.properties.js"), block("reachable.properties.js"));
    const check = block("reachable.js").replace("numRuns: 10_000", "numRuns: 30, workers: 2");
    expect(check).toContain("workers: 2");
    writeFileSync(join(folder, "reachable.js"), check);
    const args = ["--import", import.meta.resolve("tsx"), join(folder, "reachable.js")];
    expect(await promisify(execFile)(process.execPath, args)).toEqual({ stdout: "", stderr: "" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
