import { describe, expect, it } from "vitest";
import { SeededChooser } from "../../../../src/linux/chooser.ts";
import { nodePort, slice } from "../cluster.ts";
import { FlowNode, rulesFor, type Situation } from "./node.ts";

const SECONDS = 1_000_000;
const TIMEOUT = 600;
const VIP = "10.0.0.10:80";
const NODE_PORT = "10.1.96.232:30080";

const sticky: Situation = {
  services: [
    nodePort({
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: TIMEOUT } },
    }),
  ],
  slices: [slice(["192.168.96.4", "192.168.96.5", "192.168.96.6", "192.168.97.7 local"])],
};
const free: Situation = { ...sticky, services: [nodePort()] };

const start = (situation: Situation, seed = 1) =>
  new FlowNode(situation, rulesFor(situation), new SeededChooser(seed));

/** Where so many connections of one client go, one source port each. */
function connections(
  node: FlowNode,
  client: string,
  to: string,
  count: number,
  firstPort = 1024,
): Set<string> {
  const seen = new Set<string>();
  for (let i = 0; i < count; i++) seen.add(node.send(`${client}:${firstPort + i}`, to).replace(" masq", ""));
  return seen;
}

describe("session affinity", () => {
  it("keeps a client at one endpoint, from whichever port it comes", () => {
    expect(connections(start(sticky), "192.168.97.2", VIP, 50).size).toBe(1);
  });

  it("is what keeps it there: without it the client goes everywhere", () => {
    expect(connections(start(free), "192.168.97.2", VIP, 50).size).toBe(4);
  });

  it("is each client's own", () => {
    const node = start(sticky);
    const clients = Array.from({ length: 40 }, (_, i) => `192.168.97.${20 + i}`);
    const chosen = clients.map((client) => connections(node, client, VIP, 3));
    expect(chosen.every((endpoints) => endpoints.size === 1)).toBe(true);
    expect(new Set(chosen.flatMap((endpoints) => [...endpoints])).size).toBe(4);
  });

  it("holds for the NodePort what the ClusterIP has decided", () => {
    const node = start(sticky);
    const [chosen] = connections(node, "192.168.97.2", VIP, 1);
    expect(connections(node, "192.168.97.2", NODE_PORT, 20, 2000)).toEqual(new Set([chosen]));
  });

  it("lives on while the client comes back in time, and is over when it does not", () => {
    const node = start(sticky);
    const [chosen] = connections(node, "192.168.97.2", VIP, 1);
    let port = 2000;
    for (let i = 0; i < 20; i++) {
      node.network.clock.nowUs += (TIMEOUT - 1) * SECONDS;
      expect(connections(node, "192.168.97.2", VIP, 1, port++)).toEqual(new Set([chosen]));
    }
    const after = new Set<string>();
    for (let i = 0; i < 40; i++) {
      node.network.clock.nowUs += (TIMEOUT + 1) * SECONDS;
      for (const endpoint of connections(node, "192.168.97.2", VIP, 1, port++)) after.add(endpoint);
    }
    expect(after.size).toBe(4);
  });

  it("does not hold a client at an endpoint that is gone", () => {
    const node = start(sticky);
    const [chosen] = connections(node, "192.168.97.2", VIP, 1);
    const address = chosen!.split(":")[0]!;
    const left = ["192.168.96.4", "192.168.96.5", "192.168.96.6", "192.168.97.7"].filter(
      (a) => a !== address,
    );
    node.install(rulesFor({ ...sticky, slices: [slice(left)] }));
    const next = connections(node, "192.168.97.2", VIP, 20, 2000);
    expect(next.size).toBe(1);
    expect(next).not.toEqual(new Set([chosen]));
  });
});

describe("a connection that stands", () => {
  it("stays at its endpoint whatever chance would say, and although the rules have changed", () => {
    const node = start(free);
    const first = node.send("192.168.97.2", VIP);
    node.install(rulesFor({ ...free, slices: [slice(["192.168.96.40"])] }));
    for (let i = 0; i < 10; i++) expect(node.send("192.168.97.2", VIP)).toBe(first);
    expect(node.send("192.168.97.2:40001", VIP)).toBe("192.168.96.40:8080");
  });
});
