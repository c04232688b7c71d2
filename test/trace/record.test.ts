import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { RequestError, type TraceRequest } from "../../src/trace/request.ts";
import { send } from "../../src/trace/send.ts";
import { renderTrace } from "../../src/trace/text/render.ts";
import { clusterOf, topologyText, traceIn } from "./cluster.ts";

const place = z.strictObject({
  netns: z.string(),
  device: z.string().nullable(),
  hook: z.enum(["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]).nullable(),
  table: z.enum(["raw", "mangle", "nat", "filter", "security"]).nullable(),
  chain: z.string().nullable(),
  rule: z.int().min(1).nullable(),
});
const verdict = z.enum(["delivered", "refused", "rejected", "dropped", "expired", "unreachable"]);
const reason = z
  .string()
  .regex(/^[A-Z0-9_]+$/)
  .nullable();
const endpoint = z.string().regex(/^\d+\.\d+\.\d+\.\d+(:\d+)?$/);
const icmp = z.strictObject({ type: z.int(), code: z.int(), from: endpoint });
const part = z.enum(["request", "request-outer"]);

/** What `podpath trace -o json` promises. */
const traceSchema = z.strictObject({
  apiVersion: z.literal("podpath.dev/v1alpha1"),
  kind: z.literal("Trace"),
  request: z.strictObject({
    from: z.string(),
    to: z.string(),
    protocol: z.enum(["tcp", "udp", "icmp", "sctp"]),
    source: endpoint,
    destination: endpoint,
    ttl: z.int().min(1).max(255),
    size: z.int().min(0),
  }),
  verdict,
  reason,
  at: place.nullable(),
  delivered: z
    .strictObject({
      netns: z.string(),
      pod: z.string().nullable(),
      container: z.string().nullable(),
      source: endpoint,
      destination: endpoint,
      ttl: z.int().min(1),
    })
    .nullable(),
  reply: z
    .strictObject({
      verdict,
      reason,
      at: place.nullable(),
      source: endpoint,
      destination: endpoint,
      ttl: z.int(),
      icmp: icmp.nullable(),
    })
    .nullable(),
  reset: z.strictObject({ source: endpoint, destination: endpoint, ttl: z.int() }).nullable(),
  errno: z.string().nullable(),
  icmp: icmp.nullable(),
  path: z.array(
    z.strictObject({
      netns: z.string(),
      device: z.string(),
      direction: z.enum(["tx", "rx"]),
      time_us: z.int().min(0),
      of: part,
    }),
  ),
  rules: z.array(
    z.strictObject({
      netns: z.string(),
      hook: z.string(),
      table: z.string(),
      chain: z.string(),
      rule: z.int().min(1),
      target: z.string(),
      of: part,
    }),
  ),
  rulesEvaluated: z.int().min(0),
  conntrack: z.array(
    z.strictObject({
      netns: z.string(),
      protocol: z.string(),
      original: z.string().regex(/^\S+>\S+$/),
      reply: z.string().regex(/^\S+>\S+$/),
      state: z.string().nullable(),
      flags: z.array(z.enum(["UNREPLIED", "ASSURED"])),
      mark: z.int(),
    }),
  ),
  events: z.array(
    z.looseObject({
      time_us: z.int().min(0),
      netns: z.string(),
      type: z.string(),
      of: z.string(),
      serial: z.int(),
    }),
  ),
});

const sources = [
  "pod/client",
  "pod/client2",
  "pod/nginxpod",
  "pod/hello-nginx-14hst",
  "pod/kube-system/kube-dns",
  "node/srv-k8s-node1",
  "node/srv-k8s-node2",
  "host/laptop",
  "host/gw",
];
const addresses = [
  "svc/nginx",
  "svc/nginx-service",
  "svc/my-second-service",
  "svc/no-endpoints",
  "svc/kubernetes",
  "svc/kube-system/kube-dns",
  "pod/client",
  "pod/nginxpod",
  "pod/kube-system/kube-dns",
  "node/srv-k8s-node1",
  "node/srv-k8s-node2",
  "host/laptop",
  "localhost",
  "203.0.113.10",
  "192.168.5.5",
  "192.168.96.200",
  "172.31.0.1",
];
const ports = [53, 80, 81, 443, 6443, 8800, 30088, 30099, 30812];

/** Any request that can be sent. */
const anyRequest = fc
  .record({
    from: fc.constantFrom(...sources),
    address: fc.constantFrom(...addresses),
    port: fc.constantFrom(...ports),
    protocol: fc.constantFrom("tcp", "udp", "icmp", "sctp"),
    ttl: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
    size: fc.option(fc.integer({ min: 8, max: 4000 }), { nil: undefined }),
    dontFragment: fc.boolean(),
    reply: fc.boolean(),
  })
  .map(({ from, address, port, protocol, ttl, size, dontFragment, reply }): TraceRequest => {
    const datagram = protocol === "udp" || protocol === "icmp";
    return {
      from,
      to: protocol === "icmp" ? address : `${address}:${port}`,
      protocol: protocol as "tcp",
      reply,
      ...(ttl === undefined ? {} : { ttl }),
      ...(size === undefined || protocol === "sctp" ? {} : { size }),
      ...(datagram ? { dontFragment } : {}),
    };
  });

describe("the record of a trace", () => {
  it("is what the contract says, whatever is sent", () => {
    const text = topologyText();
    fc.assert(
      fc.property(anyRequest, fc.integer({ min: 0, max: 1000 }), (request, seed) => {
        const trace = send(clusterOf(text, seed), request);
        traceSchema.parse(JSON.parse(JSON.stringify(trace)));
        expect(trace.delivered !== null).toBe(trace.verdict === "delivered");
        if (request.reply === false) expect(trace.reply).toBeNull();
        if (trace.verdict === "expired" || trace.verdict === "unreachable")
          expect(trace.icmp !== null || trace.errno !== null).toBe(true);
        // a reply that arrives comes from the address that was asked
        if (trace.reply?.verdict === "delivered") {
          expect(trace.reply.source).toBe(trace.request.destination);
          expect(trace.reply.destination).toBe(trace.request.source);
        }
      }),
      { numRuns: 200, seed: 3 },
    );
  }, 120_000);

  it("equal seed gives equal bytes", () => {
    const text = topologyText();
    fc.assert(
      fc.property(
        fc.array(anyRequest, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 0 }),
        (requests, seed) => {
          const once = () => {
            const cluster = clusterOf(text, seed);
            return requests.map((request) => JSON.stringify(send(cluster, request))).join("\n");
          };
          expect(once()).toBe(once());
        },
      ),
      { numRuns: 200, seed: 5 },
    );
  }, 120_000);

  it("without a reply nothing is answered: conntrack has seen one side only", () => {
    const request: TraceRequest = { from: "pod/client", to: "pod/nginxpod:80" };
    const oneWay = traceIn([], { ...request, reply: false });
    expect(oneWay).toMatchObject({ verdict: "delivered", reply: null });
    expect(oneWay.events.filter(({ of }) => of.startsWith("reply"))).toEqual([]);
    expect(oneWay.conntrack.map(({ state }) => state)).toEqual(["SYN_SENT", null, null, "SYN_SENT"]);
    const both = traceIn([], request);
    expect(both.conntrack.map(({ state }) => state)).toEqual(["ESTABLISHED", null, null, "ESTABLISHED"]);
  });

  it("counts every rule that was looked at, not only those that matched", () => {
    const { rules, rulesEvaluated } = traceIn([], { from: "pod/client", to: "svc/nginx:80" });
    expect(rulesEvaluated).toBeGreaterThan(rules.length);
  });

  it("a cluster remembers: the second packet of a connection's kind finds neighbours known", () => {
    const cluster = clusterOf(topologyText());
    const request: TraceRequest = { from: "pod/client", to: "pod/client2", protocol: "icmp" };
    const arp = (events: readonly { of: string }[]) => events.filter(({ of }) => of === "arp").length;
    expect(arp(send(cluster, request).events)).toBeGreaterThan(0);
    expect(arp(send(cluster, request).events)).toBe(0);
  });
});

describe("what belongs to a packet", () => {
  it("a LOG rule's line belongs to the packet that was logged", () => {
    const cluster = clusterOf(topologyText());
    const { netfilter } = cluster.node("srv-k8s-node1").netns;
    netfilter.load('*filter\n-A FORWARD -p icmp -j LOG --log-prefix "seen "\nCOMMIT\n', { noflush: true });
    // docker's own rule for what leaves its bridge comes first: a ping into the bridge meets the new one
    const trace = send(cluster, { from: "node/srv-k8s-node2", to: "pod/client", protocol: "icmp" });
    const log = trace.events.find(({ type }) => type === "log");
    expect(log).toMatchObject({
      netns: "srv-k8s-node1",
      of: "request",
      text: expect.stringContaining("seen "),
    });
    expect(renderTrace(trace)).toContain("log             seen ");
  });

  it("a container in its node's network is named with its pod", () => {
    const pod = `---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: kube-system}
spec:
  nodeName: srv-k8s-node1
  hostNetwork: true
  containers: [{name: agent, image: agent, ports: [{containerPort: 9100}]}]
`;
    const cluster = clusterOf(topologyText() + pod);
    const trace = send(cluster, { from: "host/laptop", to: "pod/kube-system/agent:9100" });
    expect(trace.delivered).toMatchObject({
      netns: "srv-k8s-node1",
      pod: "kube-system/agent",
      container: "agent",
      destination: "10.1.96.232:9100",
    });
  });

  it("a ping of a ClusterIP is lost in flanneld, which says nothing about ICMP", () => {
    const trace = traceIn([], { from: "pod/client", to: "svc/nginx", protocol: "icmp" });
    expect(trace).toMatchObject({ verdict: "dropped", reason: null, icmp: null, reply: null });
  });
});

describe("what cannot be asked", () => {
  const cluster = clusterOf(topologyText());
  it.each<[TraceRequest, string]>([
    [{ from: "pod/clint", to: "svc/nginx:80" }, 'no Pod default/clint; did you mean "client"?'],
    [
      { from: "pod/kube-dns", to: "svc/nginx:80" },
      'no Pod default/kube-dns; did you mean "pod/kube-system/kube-dns"?',
    ],
    [
      { from: "client", to: "svc/nginx:80" },
      '"client" is no source: it is pod/[NAMESPACE/]NAME, node/NAME or host/NAME',
    ],
    [
      { from: "pod/a/b/c", to: "svc/nginx:80" },
      '"pod/a/b/c" is no source: it is pod/[NAMESPACE/]NAME, node/NAME or host/NAME',
    ],
    [
      { from: "node/srv-k8s-node3", to: "svc/nginx:80" },
      'no node srv-k8s-node3; did you mean "srv-k8s-node1"?',
    ],
    [{ from: "host/nobody", to: "svc/nginx:80" }, "no host nobody; there is gw, laptop"],
    [{ from: "pod/client", to: "svc/ngin:80" }, 'no Service default/ngin; did you mean "nginx"?'],
    [{ from: "pod/client", to: "svc/nginx" }, "svc/nginx needs a port (svc/nginx:PORT), or --protocol icmp"],
    [
      { from: "pod/client", to: "svc/nginx:htp" },
      'svc/nginx:htp: no port is named "htp"; did you mean "http"?',
    ],
    [{ from: "pod/client", to: "svc/nginx:0" }, "port 0 is outside 1-65535"],
    [
      { from: "pod/client", to: "pod/client2:80", protocol: "icmp" },
      'pod/client2:80: icmp has no ports: leave ":80" out',
    ],
    [{ from: "pod/client", to: "300.1.1.1:80" }, expect.stringContaining('"300.1.1.1:80" is no target')],
    [{ from: "pod/client", to: "010.0.0.1:80" }, expect.stringContaining('"010.0.0.1:80" is no target')],
    [
      { from: "pod/client", to: "svc/nginx-headless:80" },
      expect.stringContaining(
        "Service default/nginx-headless is headless: it has no address of its own; trace to one",
      ),
    ],
    [{ from: "pod/client", to: "pod/client2:80", ttl: 0 }, "TTL 0 is outside 1-255"],
    [{ from: "pod/client", to: "pod/client2", protocol: "icmp", size: 7 }, "size 7 is outside 8-65515"],
    [
      { from: "pod/client", to: "pod/client2", protocol: "icmp", sourcePort: 7 },
      "icmp has no ports: leave the source port out",
    ],
    [
      { from: "pod/client", to: "pod/client2:80", dontFragment: true },
      "tcp always sets DF: don't-fragment goes with udp and icmp",
    ],
  ])("%j", (request, message) => {
    let caught: unknown = null;
    try {
      send(cluster, request);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(RequestError);
    expect((caught as RequestError).message).toEqual(message);
  });
});
