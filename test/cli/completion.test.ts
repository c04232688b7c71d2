import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { podpath } from "./run.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const hasBash = spawnSync("bash", ["--version"]).status === 0;

afterEach(() => vi.unstubAllEnvs());

/** What podpath offers at the end of a line, as lines of the shell's. */
async function offered(line: string, shell = "fish"): Promise<string[]> {
  vi.stubEnv("COMP_LINE", line);
  vi.stubEnv("COMP_POINT", String(line.length));
  vi.stubEnv("COMP_CWORD", String(line.split(" ").length - 1));
  vi.stubEnv("SHELL", shell);
  const { code, out, err } = await podpath(["completion-server", "--", ...line.split(" ")]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out.split("\n").slice(0, -1);
}

const names = async (line: string): Promise<string[]> =>
  (await offered(line)).map((one) => one.split("\t")[0]!);

describe("completion", () => {
  it("offers the commands, none of them hidden", async () => {
    const commands = await names("podpath ");
    expect(commands).toEqual(expect.arrayContaining(["trace", "export", "schema", "completion"]));
    expect(commands).not.toContain("completion-server");
    expect(await offered("podpath tra")).toEqual([
      "trace\tsend one packet and, if it reaches a listener, the answer; tell every step",
    ]);
  });

  it.each<[string, readonly string[]]>([
    ["podpath trace --dont", ["--dont-fragment"]],
    ["podpath trace --protocol ", ["tcp", "udp", "icmp", "sctp"]],
    ["podpath trace -o ", ["text", "json", "pcapng", "mermaid", "svg", "html"]],
    ["podpath trace --output=m", ["--output=mermaid"]],
    ["podpath trace --from no", ["node/srv-k8s-master1", "node/srv-k8s-node1", "node/srv-k8s-node2"]],
    ["podpath trace --from=host/l", ["--from=host/laptop"]],
    ["podpath trace --from pod/kube", ["pod/kube-system/kube-dns"]],
    ["podpath trace --from pod/default/client", ["pod/default/client", "pod/default/client2"]],
    ["podpath trace --to svc/nginx:", ["svc/nginx:80"]],
    ["podpath trace --from pod/client --to svc/nginx-", ["svc/nginx-headless:80", "svc/nginx-service:80"]],
    ["podpath export --node srv-k8s-m", ["srv-k8s-master1"]],
    ["podpath export --format ip-", ["ip-addr", "ip-route", "ip-neigh"]],
    ["podpath trace -f topologies/vxlan.yaml --from node/", ["node/worker1", "node/worker2"]],
    ["podpath trace -f topologies/no-such.yaml --from node/", []],
    ["podpath trace -f - --from node/", []],
    ["podpath trace -f ", ["__tabtab_complete_files__"]],
    ["podpath completion ", ["bash", "zsh", "fish"]],
    ["podpath trace --seed ", []],
  ])("%s", async (line, expected) => {
    expect(await names(line)).toEqual(expected);
  });

  it("writes colons as each shell wants them", async () => {
    expect(await offered("podpath trace --to svc/nginx:8", "zsh")).toEqual(["svc/nginx\\:80"]);
    expect(await offered("podpath trace --to svc/nginx:8", "bash")).toEqual(["svc/nginx:80"]);
  });

  it("has a script for every shell, and refuses others", async () => {
    for (const shell of ["bash", "zsh", "fish"])
      expect((await podpath(["completion", shell])).out).toContain("podpath completion-server");
    expect((await podpath(["completion", "csh"])).code).toBe(2);
  });

  it.skipIf(!hasBash)(
    "completes in bash itself",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "podpath-completion-"));
      try {
        const program = join(folder, "podpath");
        writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" --import tsx "${MAIN}" "$@"\n`);
        chmodSync(program, 0o755);
        writeFileSync(join(folder, "completion.bash"), (await podpath(["completion", "bash"])).out);
        // bash splits at colons unless bash-completion puts words together again
        const script = `
        source "${folder}/completion.bash"
        try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _podpath_completion; echo "\${COMPREPLY[*]}"; }
        COMP_LINE="podpath trace --from pod/cl"; COMP_POINT=\${#COMP_LINE}; try podpath trace --from pod/cl
        COMP_LINE="podpath trace --to svc/nginx:"; COMP_POINT=\${#COMP_LINE}; try podpath trace --to svc/nginx :`;
        const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", script], {
          encoding: "utf8",
          env: { ...process.env, PATH: `${folder}:${process.env["PATH"]}` },
        });
        expect({ stdout: stdout.replaceAll("\n", " | "), stderr }).toEqual({
          stdout: "pod/client pod/client2 | 80 | ",
          stderr: "",
        });
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    60_000,
  );
});
