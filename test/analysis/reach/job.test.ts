import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { afterAll, describe, expect, it } from "vitest";
import { jobManifest } from "../../../src/analysis/reach/job.ts";
import { reach } from "../../../src/analysis/reach/reach.ts";
import { SMALL, smallCluster } from "./small-cluster.ts";

const COUNT = 3;
const manifest = jobManifest({
  count: COUNT,
  topology: new Map([["small.yaml", SMALL]]),
  image: "podpath:1",
  seed: 1,
});

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
  readonly spec: {
    readonly completions: number;
    readonly template: {
      readonly spec: { readonly containers: readonly [{ readonly args: readonly string[] }] };
    };
  };
}
const documents = loadAll(manifest) as Document[];
const [config, claim, job, merge] = documents;

const folder = mkdtempSync(join(tmpdir(), "podpath-job-"));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "topology"));
mkdirSync(join(folder, "results"));
for (const [name, text] of Object.entries(config!.data)) writeFileSync(join(folder, "topology", name), text);

/** Starts a container of a Job as the kubelet does: the variable in its environment, filled in where the arguments name it. */
function start(document: Document, index: number): ChildProcess {
  const args = document.spec.template.spec.containers[0].args.map((arg) =>
    arg
      .replaceAll("$(JOB_COMPLETION_INDEX)", String(index))
      .replace(/^\/(topology|results)\//, (_, name: string) => `${join(folder, name)}/`),
  );
  return spawn(process.execPath, ["--import", "tsx", "src/cli/main.ts", ...args], {
    env: { ...process.env, JOB_COMPLETION_INDEX: String(index) },
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** How it ended: the exit code or the signal. */
const ended = (child: ChildProcess): Promise<number | string> =>
  new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal ?? "")));

const part = (i: number) => join(folder, "results", `part-${i}.json`);

describe("the Job manifest", () => {
  it("is a ConfigMap, a volume, an Indexed Job and the merge", () => {
    expect(documents.map(({ kind }) => kind)).toEqual(["ConfigMap", "PersistentVolumeClaim", "Job", "Job"]);
    expect(config!.data["small.yaml"]).toBe(SMALL);
    expect(job!.spec).toMatchObject({ completionMode: "Indexed", completions: COUNT, parallelism: COUNT });
    expect([config, claim, job].every(({ metadata } = config!) => metadata.name === "podpath-reach")).toBe(
      true,
    );
  });

  it("refuses a topology that no ConfigMap holds", () => {
    const topology = new Map([["large.yaml", "#".repeat(1024 * 1024 + 1)]]);
    expect(() => jobManifest({ count: 2, topology, image: "podpath", seed: 1 })).toThrow("mount a volume");
  });

  it("gives the whole from processes of which one was killed and run again", async () => {
    const killed = start(job!, 1);
    const death = ended(killed);
    killed.kill("SIGKILL");
    const others = [0, 2].map((i) => ended(start(job!, i)));
    expect(await death).toBe("SIGKILL");
    expect(await Promise.all(others)).toEqual([0, 0]);
    expect(existsSync(part(1))).toBe(false);
    expect(await ended(start(merge!, 0))).toBe(2);
    expect(await ended(start(job!, 1))).toBe(0);
    expect(await ended(start(merge!, 0))).toBe(0);
    const whole = JSON.parse(readFileSync(join(folder, "results", "reach.json"), "utf8"));
    expect(whole).toEqual(reach(smallCluster()).result);
  }, 120_000);
});
