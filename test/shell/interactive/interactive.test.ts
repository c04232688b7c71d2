import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { completions } from "../../../src/shell/interactive/complete.ts";
import { interact } from "../../../src/shell/interactive/interactive.ts";
import { tutorialSession } from "../session.ts";

async function typed(lines: readonly string[], isTerminal = false): Promise<{ text: string; code: number }> {
  const input = new PassThrough();
  const output = new PassThrough();
  let text = "";
  output.on("data", (part: Buffer) => {
    text += part.toString();
  });
  const err = (part: string) => {
    text += part;
  };
  input.end(`${lines.join("\n")}\n`);
  const code = await interact(tutorialSession(), { input, output, isTerminal, err });
  return { text, code };
}

it("runs lines until exit, with heredocs over several", async () => {
  const { text, code } = await typed(["cat > f <<EOF", "a", "EOF", "cat f", "hostname", "exit", "hostname"]);
  expect([text, code]).toEqual(["a\nsrv-k8s-master1\n", 0]);
});

it("goes to other machines and comes back", async () => {
  const { text } = await typed(["ssh srv-k8s-node2", "hostname", "exit", "hostname"]);
  expect(text).toBe("srv-k8s-node2\nsrv-k8s-master1\n");
});

it("shows the prompt on a terminal", async () => {
  const { text } = await typed(["hostname", "exit"], true);
  expect(text).toContain("[root@srv-k8s-master1 ~]# ");
});

it("says what has no end", async () => {
  expect(await typed(["echo 'a"])).toEqual({
    text: "-bash: syntax error: unexpected end of file\n",
    code: 2,
  });
});

it.each([
  ["kube", ["kubectl "]],
  ["kubectl rolling-u", ["rolling-update "]],
  ["kubectl get endpoi", ["endpoints ", "endpointslices "]],
  ["kubectl get rc ngi", ["nginx-earlier-lesson "]],
  ["kubectl scale --curr", ["--current-replicas "]],
  ["ssh srv-k8s-n", ["srv-k8s-node2 "]],
  ["echo x | gre", ["grep "]],
  ["trace node/", ["node/srv-k8s-node2 "]],
])("completes %j", (line, hits) => {
  expect(completions(tutorialSession(), line)[0]).toEqual(hits);
});
