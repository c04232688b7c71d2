import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildNetwork } from "../../src/cluster/build/network.ts";
import { loadTopology } from "../../src/topology/load/load.ts";
import { builtInTopology, readSources } from "../../src/topology/load/source.ts";
import { send } from "../../src/trace/send.ts";
import { type RunningServer, serve } from "../../src/web/server/serve.ts";
import type { StartAnswer, StateAnswer, TopologyAnswer, TraceAnswer } from "../../src/web/view/api.ts";
import { podpath } from "../cli/run.ts";
import { ask, post } from "./request.ts";

const sources = readSources([builtInTopology()]);
const QUESTION = { from: "pod/client", to: "svc/nginx:80" };
let server: RunningServer;
let start: StartAnswer;

beforeAll(async () => {
  server = await serve({ sources, seed: 1, port: 0 });
  const host = { Host: `127.0.0.1:${server.port}` };
  start = JSON.parse((await ask(server.port, "/api/topology", { headers: host })).body) as StartAnswer;
});
afterAll(() => server.close());

async function answer<T>(path: string, body: object): Promise<T> {
  const { status, body: text } = await post(server.port, path, body);
  expect([status, status === 200 ? "" : text]).toEqual([200, ""]);
  return JSON.parse(text) as T;
}

const about = (more: object = {}) => ({ topology: start.topology.id, ...more });
const textOf = (): string => ("text" in sources[0]! ? sources[0].text : "");
const withText = (text: string) => [{ file: "x.yaml", text }];

describe("GET /api/topology", () => {
  it("tells what there is to draw", () => {
    const { view } = start.topology;
    expect(view.nodes.map(({ name, tunnel }) => [name, tunnel])).toEqual([
      ["srv-k8s-master1", "flannel0"],
      ["srv-k8s-node1", "flannel0"],
      ["srv-k8s-node2", "flannel0"],
    ]);
    expect(view.hosts.map(({ name }) => name)).toEqual(["gw", "laptop"]);
    expect(view.pods.find(({ name }) => name === "hello-nginx-14hst")).toMatchObject({
      node: "srv-k8s-node2",
      ip: "192.168.96.33",
      group: "hello-nginx",
      ready: true,
      ports: [{ name: "http", port: 80, protocol: "tcp" }],
    });
    expect(view.services.find(({ name }) => name === "nginx")).toMatchObject({ endpoints: 4 });
    expect(view.services.find(({ name }) => name === "no-endpoints")).toMatchObject({ endpoints: 0 });
    expect(start.downloads).toEqual(["json", "pcapng", "svg", "html"]);
  });
});

describe("POST /api/trace", () => {
  it("gives what the command gives, as often as it is asked", async () => {
    const command = JSON.parse(
      (await podpath(["trace", "--from", "pod/client", "--to", "svc/nginx:80", "-o", "json"])).out,
    ) as unknown;
    for (let i = 0; i < 2; i++)
      expect((await answer<TraceAnswer>("trace", about({ question: QUESTION }))).trace).toEqual(command);
  });

  it("explores, one branch in full and all in outline", async () => {
    const one = await answer<TraceAnswer>("trace", about({ question: QUESTION, explore: true, branch: 2 }));
    expect(one.branches).toHaveLength(4);
    expect(one.branches!.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    expect(one.branches![2]!.lines[0]!.text).toContain(one.trace.delivered!.netns);
  });

  it("takes a topology by its text and finds it again by its id", async () => {
    const text = textOf().replace("name: two-workers", "name: other");
    const opened = await answer<TopologyAnswer>("topology", { sources: withText(text) });
    expect(opened.view.name).toBe("other");
    const byId = await answer<TraceAnswer>("trace", { topology: opened.id, question: QUESTION });
    const byText = await answer<TraceAnswer>("trace", { sources: withText(text), question: QUESTION });
    expect(byId).toEqual(byText);
  });

  it("has forgotten a topology after a few others, and says so", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) {
      const text = textOf().replace("name: two-workers", `name: number-${i}`);
      ids.push((await answer<TopologyAnswer>("topology", { sources: withText(text) })).id);
    }
    const { status, body } = await post(server.port, "trace", { topology: ids[0], question: QUESTION });
    expect([status, JSON.parse(body)]).toMatchObject([409, { forgotten: true }]);
    await answer("topology", { sources: start.sources });
  });
});

describe("POST /api/state", () => {
  it("is what the tools print after the packet, and nothing of it stays", async () => {
    const node = "srv-k8s-node1";
    const before = await answer<StateAnswer>("state", about({ netns: node }));
    const after = await answer<StateAnswer>("state", about({ netns: node, question: QUESTION }));
    expect(before.conntrack).toBe("");
    expect(after.conntrack).toContain("dst=192.168.25.10");
    expect(after.rules).toContain("-A KUBE-SERVICES");
    expect(after.routes).toContain("192.168.0.0/16 dev flannel0");
    expect(after.fdb).toContain("master docker0");
    const again = await answer<StateAnswer>("state", about({ netns: node }));
    expect(again).toEqual(before);
  });

  it("is that of the branch that is asked for", async () => {
    for (const branch of [0, 1, 2, 3]) {
      const how = { question: QUESTION, explore: true, branch };
      const { trace } = await answer<TraceAnswer>("trace", about(how));
      const state = await answer<StateAnswer>("state", about({ ...how, netns: "srv-k8s-node1" }));
      expect(state.conntrack).toContain(`src=${trace.delivered!.destination.split(":")[0]}`);
    }
  });

  it("has pods and hosts too", async () => {
    for (const netns of ["srv-k8s-node1/default/client", "laptop"])
      expect((await answer<StateAnswer>("state", about({ netns }))).addresses).toContain("eth0");
  });
});

describe("POST /api/download", () => {
  const magics = { json: "{", pcapng: "\n\r\r\n", svg: "<svg", html: "<!doctype html>" };
  it.each(Object.entries(magics))("%s", async (format, magic) => {
    const { status, headers, body } = await post(
      server.port,
      "download",
      about({ question: QUESTION, format }),
    );
    expect([status, headers["content-disposition"]]).toEqual([200, `attachment; filename="trace.${format}"`]);
    expect(body.slice(0, magic.length).toLowerCase()).toBe(magic);
  });

  it("JSON of every branch is a TraceSet", async () => {
    const body = about({ question: QUESTION, format: "json", explore: true });
    expect(await answer<object>("download", body)).toMatchObject({ kind: "TraceSet" });
  });

  it("pcapng is of the branch that is asked for", async () => {
    const bytes = new Set<string>();
    for (const branch of [0, 1, 2, 3]) {
      const body = about({ question: QUESTION, format: "pcapng", explore: true, branch });
      bytes.add((await post(server.port, "download", body)).body);
    }
    expect(bytes.size).toBe(4);
  });
});

describe("what is wrong is said", () => {
  const broken = withText("kind: Node\nmetadata: {name: [\n");
  const cases: readonly (readonly [string, string, object, number, RegExp])[] = [
    ["no such pod", "trace", { question: { ...QUESTION, from: "pod/clint" } }, 400, /did you mean "client"/],
    ["no port", "trace", { question: { ...QUESTION, to: "svc/nginx" } }, 400, /needs a port/],
    ["a ttl that no packet has", "trace", { question: { ...QUESTION, ttl: 256 } }, 400, /ttl/],
    ["a word that is not known", "trace", { question: QUESTION, file: "/etc/passwd" }, 400, /file/],
    ["no question", "trace", {}, 400, /question/],
    [
      "a branch that is not there",
      "trace",
      { question: QUESTION, explore: true, branch: 99 },
      400,
      /no branch 99/,
    ],
    ["no such namespace", "state", { netns: "../../etc" }, 400, /no namespace/],
    ["no such format", "download", { question: QUESTION, format: "exe" }, 400, /format/],
    ["no such thing", "nothing", {}, 404, /no such thing/],
  ];
  it.each(cases)("%s", async (_, path, body, status, text) => {
    const { status: got, body: said } = await post(server.port, path, about(body));
    expect(got).toBe(status);
    expect((JSON.parse(said) as { error: string }).error).toMatch(text);
  });

  it("faults have their line", async () => {
    const { status, body } = await post(server.port, "topology", { sources: broken });
    expect(status).toBe(422);
    expect(JSON.parse(body)).toMatchObject({ faults: [{ file: "x.yaml", line: expect.any(Number) }] });
  });

  it("a file's name reads no file", async () => {
    const { status, body } = await post(server.port, "topology", {
      sources: [{ file: "/etc/passwd", text: "" }],
    });
    expect(status).toBe(422);
    expect(body).not.toContain("root:");
  });

  it("a body that is no JSON", async () => {
    const headers = { Host: `127.0.0.1:${server.port}`, "Content-Type": "application/json" };
    const { status } = await ask(server.port, "/api/trace", { method: "POST", headers, body: "{" });
    expect(status).toBe(400);
  });
});

it("a cluster that was asked much is as it was", async () => {
  const { model } = loadTopology(sources);
  const fresh = send(buildNetwork(model, { seed: 1 }), QUESTION);
  for (const to of ["svc/no-endpoints:80", "node/srv-k8s-node1:30088", "pod/client2"])
    await post(
      server.port,
      "trace",
      about({ question: { from: "pod/client", to }, explore: to.startsWith("svc") }),
    );
  expect((await answer<TraceAnswer>("trace", about({ question: QUESTION }))).trace).toEqual(
    JSON.parse(JSON.stringify(fresh)),
  );
});

it("podpath serve says where it is and ends when it is told to", async () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/main.ts", "serve", "--port", "0"], {
    cwd: root,
  });
  const said = await new Promise<string>((resolve) =>
    child.stdout.once("data", (piece) => resolve(String(piece))),
  );
  const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(said)![0];
  expect((await fetch(`${url}api/topology`)).status).toBe(200);
  const code = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  expect(await code).toBe(0);
}, 30_000);

it("a topology with faults is not served: exit code 2", async () => {
  const { code, err } = await podpath(["serve", "-f", "/nonexistent.yaml", "--port", "0"]);
  expect([code, err]).toEqual([2, "/nonexistent.yaml: no such file or folder\n"]);
});
