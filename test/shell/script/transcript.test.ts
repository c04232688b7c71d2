import { describe, expect, it } from "vitest";
import { matchesExpected } from "../../../src/shell/script/compare.ts";
import { runScript } from "../../../src/shell/script/run-script.ts";
import { readScript } from "../../../src/shell/script/transcript.ts";
import { bareCluster, sessionIn } from "../session.ts";

describe("what is printed against what is expected", () => {
  it.each([
    ["a", "a", true],
    ["a  ", "a", true],
    ["a", "a\nb", false],
    ["a\nb", "a", false],
    ["a...c", "abbc", true],
    ["a...c", "abb", false],
    ["x + 1 more...", "x + 1 more...", true],
    ["......", "a\nb", true],
    ["a\n........\nd", "a\nb\nc\nd", true],
    ["a\n......", "a", true],
    ["......\nz", "a\nb", false],
    ["(.*)", "abc", false],
  ])("%j, %j: %s", (expected, actual, matches) => {
    expect(matchesExpected(expected.split("\n"), actual.split("\n"))).toBe(matches);
  });
});

describe("a script", () => {
  it("is a session with prompts, or commands alone", () => {
    const session = "# begin\n[root@m ~]# cat > f <<EOF\nx\nEOF\n[root@n ~]# cat f\nx\n\n# end\n";
    expect(readScript(session)).toEqual([
      { line: 2, machine: "m", command: "cat > f <<EOF\nx\nEOF", expected: [] },
      { line: 5, machine: "n", command: "cat f", expected: ["x"] },
    ]);
    expect(readScript("# a\ncat <<EOF\n# x\nEOF\n\necho \\\n  b\n")).toEqual([
      { line: 2, machine: null, command: "cat <<EOF\n# x\nEOF", expected: null },
      { line: 6, machine: null, command: "echo \\\n  b", expected: null },
    ]);
  });

  const run = async (text: string, expect = false) => {
    let printed = "";
    const write = (part: string) => {
      printed += part;
    };
    const result = await runScript(sessionIn(bareCluster(1)), text, { out: write, err: write }, { expect });
    return { ...result, printed };
  };

  it("ends at the first command that fails", async () => {
    const { fault, commands, printed } = await run("echo a\nfalse\necho b\n");
    expect(fault).toEqual({ line: 2, command: "false", message: "ended with code 1" });
    expect([commands, printed]).toEqual([2, "a\n"]);
  });

  it("ends at the first difference when it is compared, and may show errors", async () => {
    const good =
      "[root@node1 ~]# hostname\nnode1\n[root@client ~]# cat x\ncat: x: No such file or directory\n";
    expect((await run(good, true)).fault).toBeNull();
    const { fault } = await run(`${good}[root@node1 ~]# hostname\nnode2\n`, true);
    expect(fault).toEqual({
      line: 5,
      command: "hostname",
      message: "expected\n    node2\n  printed\n    node1\n",
    });
    expect((await run("[root@nowhere ~]# hostname\n")).fault?.message).toBe("there is no machine nowhere");
  });
});
