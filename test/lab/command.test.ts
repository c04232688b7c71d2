import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/cli/program.ts";
import { namespacesOf, readState } from "../../src/lab/state.ts";
import { kernelIsThere, LAB_NAME, sweepStale } from "../kernel/availability.ts";

async function podpath(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const code = await run(argv, {
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
  return { code, out, err };
}

const NAME = `${LAB_NAME}-command`;

describe.skipIf(!kernelIsThere)("podpath lab", () => {
  beforeAll(sweepStale);
  afterAll(async () => void (await podpath("lab", "down", "--name", NAME)));

  it("goes up, is entered, and goes down without a trace", async () => {
    expect((await podpath("lab", "up", "--name", NAME)).out).toMatch(/is up: \d+ namespaces/);
    expect((await podpath("lab", "up", "--name", NAME)).err).toContain("is up already");
    expect(
      (await podpath("lab", "exec", "--name", NAME, "pod/client", "--", "test", "-d", "/sys")).code,
    ).toBe(0);
    expect((await podpath("lab", "exec", "--name", NAME, "node/srv-k8s-node1", "--", "false")).code).toBe(1);
    expect((await podpath("lab", "down", "--name", NAME)).out).toMatch(/is gone: \d+ namespaces/);
    expect((await podpath("lab", "down", "--name", NAME)).out).toContain("was not up");
    expect((await podpath("lab", "exec", "--name", NAME, "pod/client", "--", "true")).err).toContain(
      "has no namespace",
    );
  });

  it("goes down after its agent has been killed", async () => {
    await podpath("lab", "up", "--name", NAME);
    const { pid } = readState(NAME)!;
    process.kill(pid, "SIGKILL");
    expect((await podpath("lab", "down", "--name", NAME)).out).toMatch(/is gone: \d+ namespaces/);
    expect(namespacesOf(NAME)).toEqual([]);
    expect(readState(NAME)).toBeNull();
  });

  it("verifies given flows", async () => {
    const { code, out } = await podpath(
      ...["lab", "verify", "--name", NAME, "-o", "json"],
      ...["--flow", "pod/client,svc/nginx:80", "--flow", "host/laptop,node/srv-k8s-node1,icmp,3"],
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ kind: "LabVerification", equal: true, flows: 2, differing: [] });
  });

  it.each([
    [["lab", "verify", "--flow", "pod/nobody,svc/nginx:80"], "no Pod default/nobody"],
    [["lab", "exec", "pod/nobody", "--", "true"], "no Pod default/nobody"],
    [["lab", "up", "--iptables", "other"], "--iptables"],
  ])("%j is refused", async (argv, message) => {
    const { code, err } = await podpath(...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
