import { describe, expect, it } from "vitest";
import { podpathLine } from "./run.ts";

const DNS = "trace --from pod/client --to svc/kube-system/kube-dns:dns";

describe("podpath trace", () => {
  it("is 0 when the packet and its answer arrive, 1 when not", async () => {
    expect((await podpathLine(DNS)).code).toBe(0);
    expect((await podpathLine("trace --from pod/client --to svc/no-endpoints:80")).code).toBe(1);
    expect((await podpathLine(`${DNS} --ttl 2`)).code).toBe(1);
  });

  it("prints one JSON document and nothing else", async () => {
    const { out, err } = await podpathLine(`${DNS} -o json`);
    expect(err).toBe("");
    expect(JSON.parse(out)).toMatchObject({
      kind: "Trace",
      verdict: "delivered",
      request: { protocol: "udp" },
    });
  });

  it("--count prints a JSON document a line, each from a new port", async () => {
    const { out, code } = await podpathLine(`${DNS} --count 5 --source-port 40000 -o json`);
    expect(code).toBe(0);
    const traces = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { request: { source: string } });
    expect(traces.map(({ request }) => request.source)).toEqual(
      [0, 1, 2, 3, 4].map((i) => `192.168.97.2:${40000 + i}`),
    );
  });

  it("--count in text is a line each and what it comes to", async () => {
    const { out } = await podpathLine(
      "trace --from pod/client --to svc/no-endpoints:80 --count 3 --source-port 1000",
    );
    expect(out).toMatchInlineSnapshot(`
      "tcp 192.168.97.2:1000 > 192.168.25.99:80: rejected NETFILTER_DROP in srv-k8s-node1, docker0, FORWARD filter, KUBE-SERVICES rule 1
      tcp 192.168.97.2:1001 > 192.168.25.99:80: rejected NETFILTER_DROP in srv-k8s-node1, docker0, FORWARD filter, KUBE-SERVICES rule 1
      tcp 192.168.97.2:1002 > 192.168.25.99:80: rejected NETFILTER_DROP in srv-k8s-node1, docker0, FORWARD filter, KUBE-SERVICES rule 1

      3 packets
      3 100.0 %  rejected NETFILTER_DROP
      "
    `);
  });

  it("equal seed gives equal output, another seed other ports", async () => {
    const of = async (seed: number) =>
      (await podpathLine(`trace --from pod/client --to svc/nginx:80 -o json --seed ${seed}`)).out;
    expect(await of(7)).toBe(await of(7));
    expect(await of(7)).not.toBe(await of(8));
  });

  it("fits into 100 columns, with and without every step", async () => {
    for (const options of ["", " --verbose"])
      for (const to of ["svc/nginx:80", "svc/no-endpoints:80", "10.1.96.77:80"]) {
        const { out } = await podpathLine(`trace --from pod/client --to ${to}${options}`);
        expect(out.split("\n").filter((line) => line.length > 100)).toEqual([]);
      }
  });

  it("has colours on a terminal, unless told otherwise", async () => {
    expect((await podpathLine(DNS, true)).out).toContain("\u001b[");
    expect((await podpathLine(`${DNS} --no-color`, true)).out).not.toContain("\u001b[");
    expect((await podpathLine(DNS)).out).not.toContain("\u001b[");
    expect((await podpathLine(`${DNS} --color`)).out).toContain("\u001b[");
  });

  it("logs on standard error at the level asked for", async () => {
    expect((await podpathLine(`${DNS} --log-level debug`)).err).toContain('"msg":"cluster built"');
    expect((await podpathLine(`${DNS} --log-level debug`, true)).err).toContain("debug: cluster built\n");
  });

  it.each([
    [
      "pod to pod across nodes",
      "trace --from pod/client --to pod/kube-system/kube-dns:53 --protocol udp --source-port 40000",
    ],
    ["a Service without endpoints", "trace --from pod/client --to svc/no-endpoints:80 --source-port 40000"],
    [
      "a NodePort, every step",
      "trace --from host/laptop --to node/srv-k8s-node1:30088 --source-port 40000 --seed 2 -v",
    ],
    ["two containers of a pod", "trace --from pod/nginxpod --to localhost:8800 --source-port 40000"],
    ["a TTL that runs out", "trace --from pod/client --to pod/client2 --protocol icmp --ttl 4"],
  ])("%s", async (_, line) => {
    expect((await podpathLine(line)).out).toMatchSnapshot();
  });
});

describe("podpath --help", () => {
  it.each(["--help", "trace --help", "export --help"])("%s has an example", async (line) => {
    const { code, out, err } = await podpathLine(line);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("Examples:\n  podpath ");
  });

  it("--version is the package's", async () => {
    expect((await podpathLine("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
