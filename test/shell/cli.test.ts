import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { run } from "../../src/cli/program.ts";

const folder = mkdtempSync(join(tmpdir(), "podpath-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function podpath(script: string, ...options: readonly string[]) {
  const file = join(folder, "script");
  writeFileSync(file, script);
  let out = "";
  let err = "";
  const code = await run(["run", file, ...options], {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    outIsTerminal: false,
    errIsTerminal: false,
    columns: undefined,
    noColor: true,
  });
  return { code, out, err: err.replaceAll(file, "SCRIPT") };
}

it("runs a script in the built-in cluster", async () => {
  const { code, out, err } = await podpath("kubectl get nodes --no-headers | wc -l\nhostname\n");
  expect({ code, out, err }).toEqual({ code: 0, out: "3\nsrv-k8s-master1\n", err: "" });
});

it("fails at the first command that fails", async () => {
  const { code, out, err } = await podpath("echo a\nkubectl get pod nope\necho b\n");
  expect([code, out]).toEqual([1, "a\n"]);
  expect(err).toBe(
    'Error from server (NotFound): pods "nope" not found\npodpath: SCRIPT:2: kubectl get pod nope\n  ended with code 1\n',
  );
});

it("compares with what the script says", async () => {
  const good = "[root@srv-k8s-node1 ~]# hostname\nsrv-k8s-node1\n";
  expect(await podpath(good, "--expect")).toMatchObject({
    code: 0,
    err: "podpath: 1 commands printed what SCRIPT says\n",
  });
  expect((await podpath(good.replace("\nsrv-k8s-node1", "\nother"), "--expect")).code).toBe(1);
});

it("refuses what cannot be read with code 2", async () => {
  expect(await podpath("", "--start-seconds", "x")).toMatchObject({ code: 2 });
  expect(await podpath("", "-f", "missing.yaml")).toMatchObject({ code: 2 });
});

it("gives equal bytes for equal seeds", async () => {
  const script =
    "kubectl run a --image=nginx --replicas=3; wait; kubectl get pods -o wide; ssh laptop curl -I 10.1.96.232:30088; ssh srv-k8s-node1 conntrack -L";
  const [first, second, other] = [
    await podpath(script),
    await podpath(script),
    await podpath(script, "--seed", "7"),
  ];
  expect(first).toEqual(second);
  expect(other.out).not.toBe(first.out);
});
