import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { builtInTopology } from "../../src/topology/load/source.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** The program as a process of its own; `pipe` is what a shell does with its output. */
function process_(line: string, { input = "", pipe = "" } = {}) {
  const command = `"${process.execPath}" --import tsx "${main}" ${line} ${pipe}`;
  const { status, stdout, stderr } = spawnSync("bash", ["-c", `set -o pipefail; ${command}`], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return { status, stdout, stderr };
}

describe("podpath as a process", () => {
  it("ends quietly when its reader goes away", () => {
    const { stdout, stderr } = process_("trace --from pod/client --to svc/nginx:80 --count 300 -o json", {
      pipe: "| head -c 10",
    });
    expect({ length: stdout.length, stderr }).toEqual({ length: 10, stderr: "" });
  });

  it("writes all of a large output before it ends", () => {
    const { status, stdout } = process_("trace --from pod/client --to svc/nginx:80 --count 40 -o json", {
      pipe: "| (sleep 0.5; cat)",
    });
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(40);
    for (const line of lines) JSON.parse(line);
  });

  it("reads a topology from standard input", () => {
    const input = readFileSync(builtInTopology("vxlan"), "utf8");
    const { status, stderr } = process_("trace -f - --from pod/client --to svc/nginx:http", { input });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it.each([
    ["trace --from pod/client --to svc/no-endpoints:80", 1],
    ["trace --from pod/nobody --to svc/nginx:80", 2],
    ["trace --nonsense", 2],
  ])("%s exits with %i", (line, status) => {
    expect(process_(line).status).toBe(status);
  });
});
