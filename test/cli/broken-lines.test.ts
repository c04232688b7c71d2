import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { podpathLine } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "podpath-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of that content, by its path. */
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const unparsable = file("unparsable.yaml", "kind: Node\nmetadata: {name: [\n");
const twoFaults = file(
  "two-faults.yaml",
  "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  type: NodePort\n  ports:\n    - {port: 0}\n    - {port: 80, nodePort: 99999}\n",
);
const GOOD = "--from pod/client --to svc/nginx:80";

/** Command lines that are wrong, and the one line said about each. */
const table: readonly (readonly [string, string | RegExp])[] = [
  ["", "podpath: error: no command; see podpath --help"],
  ["trase", `podpath: error: unknown command 'trase'; did you mean "trace"?`],
  ["nonsense", "podpath: error: unknown command 'nonsense'"],
  ["trace", "podpath: error: required option '--from' not specified"],
  ["trace --from pod/client", "podpath: error: required option '--to' not specified"],
  ["trace --fron pod/client", "podpath: error: unknown option '--fron' (Did you mean --from?)"],
  ["trace --from", "podpath: error: option '--from <source>' argument missing"],
  [`trace ${GOOD} more`, "podpath: error: too many arguments for 'trace'. Expected 0 arguments but got 1."],
  [
    `trace ${GOOD} --protocol igmp`,
    "podpath: error: option '--protocol <protocol>' argument 'igmp' is invalid. Allowed choices are tcp, udp, icmp, sctp.",
  ],
  [
    `trace ${GOOD} --ttl 0`,
    "podpath: error: option '--ttl <hops>' argument '0' is invalid. It is no whole number from 1 to 255.",
  ],
  [
    `trace ${GOOD} --ttl 1.5`,
    "podpath: error: option '--ttl <hops>' argument '1.5' is invalid. It is no whole number from 1 to 255.",
  ],
  [
    `trace ${GOOD} --source-port 70000`,
    "podpath: error: option '--source-port <port>' argument '70000' is invalid. It is no whole number from 1 to 65535.",
  ],
  [
    `trace ${GOOD} --count 0`,
    "podpath: error: option '--count <packets>' argument '0' is invalid. It is no whole number from 1 to 1000000.",
  ],
  [
    `trace ${GOOD} --size -1`,
    "podpath: error: option '--size <bytes>' argument '-1' is invalid. It is no whole number from 0 to 65515.",
  ],
  [
    `trace ${GOOD} --seed x`,
    "podpath: error: option '--seed <number>' argument 'x' is invalid. It is no whole number from 0 to 4294967295.",
  ],
  [
    `trace ${GOOD} -o yaml`,
    "podpath: error: option '-o, --output <format>' argument 'yaml' is invalid. Allowed choices are text, json, pcapng, mermaid, svg, html.",
  ],
  [
    `trace ${GOOD} --log-level loud`,
    /^podpath: error: option '--log-level <level>' argument 'loud' is invalid\. /,
  ],
  [
    "trace --from pod/clint --to svc/nginx:80",
    'podpath: error: no Pod default/clint; did you mean "client"?',
  ],
  [
    "trace --from pod/client --to svc/ngnix:80",
    'podpath: error: no Service default/ngnix; did you mean "nginx"?',
  ],
  [
    "trace --from pod/client --to svc/kube-dns:53",
    'podpath: error: no Service default/kube-dns; did you mean "svc/kube-system/kube-dns"?',
  ],
  ["trace --from node/srv --to svc/nginx:80", /^podpath: error: no node srv; there is srv-k8s-master1, /],
  ["trace --from client --to svc/nginx:80", /^podpath: error: "client" is no source: it is pod\//],
  ["trace --from pod/client --to nginx:80", /^podpath: error: "nginx:80" is no target: it is svc\//],
  ["trace --from pod/client --to svc/nginx:99999", "podpath: error: port 99999 is outside 1-65535"],
  [
    "trace --from pod/client --to pod/client2 --protocol icmp --source-port 7",
    "podpath: error: icmp has no ports: leave the source port out",
  ],
  [`trace ${GOOD} -f /no/such/file.yaml`, "/no/such/file.yaml: no such file or folder"],
  [`trace ${GOOD} -f ${unparsable}`, new RegExp(`^${unparsable}:\\d+: `)],
  ["export", "podpath: error: required option '--node' not specified"],
  ["export --node srv-k8s-node1", "podpath: error: required option '--format' not specified"],
  [
    "export --node srv-k8s-node1 --format iptables",
    /^podpath: error: option '--format <tool>' argument 'iptables' is invalid\. Allowed choices are iptables-save, /,
  ],
  [
    "export --node srv-k8s-node7 --format ip-addr",
    'podpath: error: no node srv-k8s-node7; did you mean "srv-k8s-node1"?',
  ],
  [
    "export --node srv-k8s-node1 --format ip-addr --from pod/client",
    "podpath: error: --from and --to go together",
  ],
];

describe("a wrong command line", () => {
  it.each(table)("podpath %s", async (line, message) => {
    const { code, out, err } = await podpathLine(line);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(/^[^\n]+\n$/);
    if (typeof message === "string") expect(err).toBe(`${message}\n`);
    else expect(err).toMatch(message);
  });

  it("a topology with two faults gets two lines, each with file, line and field", async () => {
    const { code, out, err } = await podpathLine(`trace ${GOOD} -f ${twoFaults}`);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    const lines = err.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const line of lines)
      expect(line).toMatch(new RegExp(`^${twoFaults}:\\d+: Service/web spec\\.ports\\[`));
  });
});
