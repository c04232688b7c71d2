import { describe, expect, it } from "vitest";
import { hasTshark, readWithTshark } from "../packet/tshark.ts";
import { podpathLine } from "./run.ts";

const TRACE = "trace --from pod/client --to svc/nginx:80";

describe("trace -o", () => {
  it.each([
    ["mermaid", /^sequenceDiagram\n/],
    ["svg", /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/],
    ["html", /^<!doctype html>\n/],
  ])("%s is one picture, the same every time", async (format, beginning) => {
    const first = await podpathLine(`${TRACE} -o ${format}`);
    expect({ code: first.code, err: first.err }).toEqual({ code: 0, err: "" });
    expect(first.out).toMatch(beginning);
    expect((await podpathLine(`${TRACE} -o ${format}`)).out).toBe(first.out);
  });

  it("draws what did not arrive, too, and says so by its exit code", async () => {
    const { code, out } = await podpathLine("trace --from pod/client --to pod/client2:81 -o svg");
    expect(code).toBe(1);
    expect(out).toContain('class="cross"');
  });

  it.each([
    [`${TRACE} -o svg --count 2`, "-o svg is a picture of one packet: leave --count out"],
    [`${TRACE} -o pcapng --explore`, "--explore goes with -o text and -o json, not with -o pcapng"],
    [`${TRACE} -o html --explore`, "--explore goes with -o text and -o json, not with -o html"],
  ])("%s is refused", async (line, message) => {
    expect(await podpathLine(line)).toEqual({ code: 2, out: "", err: `podpath: error: ${message}\n` });
  });

  it("pcapng writes no bytes to a terminal", async () => {
    const { code, out, err } = await podpathLine(`${TRACE} -o pcapng`, true);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("-o pcapng writes bytes: send them to a file");
  });

  it.skipIf(!hasTshark)("pcapng holds all packets of --count, in one file", async () => {
    const { code, out } = await podpathLine(`${TRACE} -o pcapng --count 3 --source-port 40000`);
    expect(code).toBe(0);
    const rows = readWithTshark(Buffer.from(out, "latin1"), [
      "frame.interface_name",
      "tcp.srcport",
      "tcp.flags.syn",
    ]);
    const sent = rows.filter(
      (row) =>
        row["frame.interface_name"]![0] === "srv-k8s-node1/default/client/eth0" &&
        ["1", "True"].includes(row["tcp.flags.syn"]![0] ?? ""),
    );
    const ports = new Set(sent.map((row) => row["tcp.srcport"]![0]));
    expect([...ports].filter((port) => port !== "80")).toEqual(["40000", "40001", "40002"]);
  });
});
