import { describe, expect, it } from "vitest";
import type { TraceRequest } from "../../src/trace/request.ts";
import { type Edits, gist, pathOf, traceIn } from "./cluster.ts";

const NODE1 = "srv-k8s-node1";
const NODE2 = "srv-k8s-node2";
/** kube-dns has one pod, on node2: what a Service does is no chance there. */
const DNS = "192.168.0.10:53";

interface Case {
  readonly what: string;
  readonly request: TraceRequest;
  readonly edits?: Edits;
  /** Source as the receiver sees it, and the TTL there. */
  readonly source: string;
  readonly ttl: number;
  readonly netns: string;
  /** Whom the sender sees answer, with which TTL. */
  readonly answers: string;
  readonly replyTtl: number;
}

const cases: Case[] = [
  {
    what: "containers of one pod over localhost",
    request: { from: "pod/nginxpod", to: "localhost:8800" },
    source: "127.0.0.1",
    ttl: 64,
    netns: `${NODE2}/default/nginxpod`,
    answers: "127.0.0.1:8800",
    replyTtl: 64,
  },
  {
    what: "pod to pod on one node",
    request: { from: "pod/client2", to: "pod/nginxpod:80" },
    source: "192.168.96.2",
    ttl: 64,
    netns: `${NODE2}/default/nginxpod`,
    answers: "192.168.96.54:80",
    replyTtl: 64,
  },
  {
    what: "pod to pod across nodes, masqueraded by docker to flannel0's address",
    request: { from: "pod/client", to: "pod/nginxpod:80" },
    source: "192.168.97.0",
    ttl: 60,
    netns: `${NODE2}/default/nginxpod`,
    answers: "192.168.96.54:80",
    replyTtl: 60,
  },
  {
    what: "pod to pod across nodes with docker's masquerading off",
    request: { from: "pod/client", to: "pod/nginxpod:80" },
    edits: [["ipMasq: true", "ipMasq: false"]],
    source: "192.168.97.2",
    ttl: 60,
    netns: `${NODE2}/default/nginxpod`,
    answers: "192.168.96.54:80",
    replyTtl: 60,
  },
  {
    what: "pod to pod across nodes over vxlan costs two hops",
    request: { from: "pod/client", to: "pod/nginxpod:80" },
    edits: [["Backend: {Type: udp, Port: 8285}", "Backend: {Type: vxlan}"]],
    source: "192.168.97.0",
    ttl: 62,
    netns: `${NODE2}/default/nginxpod`,
    answers: "192.168.96.54:80",
    replyTtl: 62,
  },
  {
    what: "pod to pod across nodes over host-gw keeps the node's address",
    request: { from: "pod/client", to: "pod/nginxpod:80" },
    edits: [["Backend: {Type: udp, Port: 8285}", "Backend: {Type: host-gw}"]],
    source: "10.1.96.232",
    ttl: 62,
    netns: `${NODE2}/default/nginxpod`,
    answers: "192.168.96.54:80",
    replyTtl: 62,
  },
  {
    what: "a ping across nodes",
    request: { from: "pod/client", to: "pod/client2", protocol: "icmp" },
    source: "192.168.97.0",
    ttl: 60,
    netns: `${NODE2}/default/client2`,
    answers: "192.168.96.2",
    replyTtl: 60,
  },
  {
    what: "pod to ClusterIP with a local endpoint, bridged",
    request: { from: "pod/client2", to: "svc/kube-system/kube-dns:dns" },
    source: "192.168.96.2",
    ttl: 64,
    netns: `${NODE2}/kube-system/kube-dns`,
    answers: DNS,
    replyTtl: 64,
  },
  {
    what: "pod to ClusterIP with a remote endpoint",
    request: { from: "pod/client", to: "svc/kube-system/kube-dns:dns-tcp" },
    source: "192.168.97.0",
    ttl: 60,
    netns: `${NODE2}/kube-system/kube-dns`,
    answers: DNS,
    replyTtl: 60,
  },
  {
    what: "pod to ClusterIP with itself as the endpoint, hairpin on",
    request: { from: "pod/kube-system/kube-dns", to: "svc/kube-system/kube-dns:dns" },
    edits: [["hairpin: false", "hairpin: true"]],
    source: "192.168.96.1",
    ttl: 64,
    netns: `${NODE2}/kube-system/kube-dns`,
    answers: DNS,
    replyTtl: 64,
  },
  {
    what: "a node to a ClusterIP inside flannel's network",
    request: { from: `node/${NODE1}`, to: "svc/kube-system/kube-dns:dns-tcp" },
    source: "192.168.97.0",
    ttl: 61,
    netns: `${NODE2}/kube-system/kube-dns`,
    answers: DNS,
    replyTtl: 61,
  },
  {
    what: "outside to a NodePort of the node that has the endpoint",
    request: { from: "host/laptop", to: `node/${NODE2}:30053` },
    edits: [["- {name: dns-tcp, port: 53, protocol: TCP, targetPort: dns-tcp}", NODE_PORT(30053)]],
    source: "192.168.96.1",
    ttl: 63,
    netns: `${NODE2}/kube-system/kube-dns`,
    answers: "10.1.96.233:30053",
    replyTtl: 63,
  },
  {
    what: "outside to a NodePort of a node that has none",
    request: { from: "host/laptop", to: `node/${NODE1}:30053` },
    edits: [["- {name: dns-tcp, port: 53, protocol: TCP, targetPort: dns-tcp}", NODE_PORT(30053)]],
    source: "192.168.97.0",
    ttl: 60,
    netns: `${NODE2}/kube-system/kube-dns`,
    answers: "10.1.96.232:30053",
    replyTtl: 60,
  },
  {
    what: "outside to a hostPort keeps the client's address",
    request: { from: "host/laptop", to: `node/${NODE2}:8800` },
    source: "10.1.96.10",
    ttl: 63,
    netns: `${NODE2}/default/nginxpod`,
    answers: "10.1.96.233:8800",
    replyTtl: 63,
  },
  {
    what: "a node to its own pod",
    request: { from: `node/${NODE2}`, to: "pod/nginxpod:80" },
    source: "192.168.96.1",
    ttl: 64,
    netns: `${NODE2}/default/nginxpod`,
    answers: "192.168.96.54:80",
    replyTtl: 64,
  },
];

/** The dns-tcp port of kube-dns with a node port. */
function NODE_PORT(port: number): string {
  return `- {name: dns-tcp, port: 53, protocol: TCP, targetPort: dns-tcp, nodePort: ${port}}\n  type: NodePort`;
}

describe("traffic, there and back", () => {
  it.each(cases)("$what", ({ request, edits = [], source, ttl, netns, answers, replyTtl }) => {
    const trace = traceIn(edits, request);
    expect(gist(trace)).toEqual({
      verdict: "delivered",
      reason: null,
      ttl,
      source,
      netns,
      reply: `delivered ${answers}`,
      icmp: null,
    });
    expect(trace.reply).toMatchObject({ ttl: replyTtl, destination: trace.request.source });
  });

  it("LoadBalancer: the gateway hands the address to node1, any of the four pods answers as it", () => {
    const trace = traceIn([], { from: "host/laptop", to: "203.0.113.10:80" });
    expect(trace.verdict).toBe("delivered");
    expect(trace.delivered).toMatchObject({ container: "my-nginx-container" });
    expect(trace.reply).toMatchObject({ verdict: "delivered", source: "203.0.113.10:80" });
    expect(pathOf(trace).slice(0, 4)).toEqual([
      "laptop eth0 tx",
      "gw eth0 rx",
      "gw eth0 tx",
      `${NODE1} ens33 rx`,
    ]);
  });

  it("flannel udp: the outer packet goes from node to node on port 8285", () => {
    const trace = traceIn([], { from: "pod/client", to: "pod/nginxpod:80" });
    const devices = pathOf(trace).filter((text) => !text.includes("veth"));
    expect(devices).toEqual([
      `${NODE1}/default/client eth0 tx`,
      `${NODE1} docker0 rx`,
      `${NODE1} flannel0 tx`,
      `outer ${NODE1} ens33 tx`,
      `outer ${NODE2} ens33 rx`,
      `${NODE2} flannel0 rx`,
      `${NODE2} docker0 tx`,
      `${NODE2}/default/nginxpod eth0 rx`,
    ]);
    const outer = trace.events.find((e) => e.type === "origin" && e.of === "request-outer");
    expect(outer).toMatchObject({
      netns: NODE1,
      packet: { protocol: "udp", source: "10.1.96.232:8285", destination: "10.1.96.233:8285", ttl: 64 },
    });
    expect(
      trace.conntrack.map(({ netns, protocol, original }) => `${netns} ${protocol} ${original}`),
    ).toEqual([
      expect.stringMatching(`^${NODE1} tcp 192.168.97.2:\\d+>192.168.96.54:80$`),
      `${NODE1} udp 10.1.96.232:8285>10.1.96.233:8285`,
      `${NODE2} udp 10.1.96.232:8285>10.1.96.233:8285`,
      expect.stringMatching(`^${NODE2} tcp 192.168.97.0:\\d+>192.168.96.54:80$`),
    ]);
  });

  it("a datagram longer than the tunnel's MTU goes in pieces and arrives whole", () => {
    const trace = traceIn([], {
      from: "pod/client",
      to: "pod/kube-system/kube-dns:53",
      protocol: "udp",
      size: 1480,
    });
    expect(gist(trace)).toMatchObject({ verdict: "delivered", ttl: 60, reply: "delivered 192.168.96.10:53" });
    expect(pathOf(trace).filter((text) => text === `outer ${NODE1} ens33 tx`)).toHaveLength(2);
  });

  it("the four nginx pods behind a Service are all reached", () => {
    const pods = new Set<string>();
    for (let seed = 1; seed <= 40; seed++) {
      const { delivered } = traceIn([], { from: "pod/client", to: "svc/nginx:http" }, seed);
      pods.add(delivered?.pod ?? "");
    }
    expect([...pods].sort()).toEqual([
      "default/hello-nginx-14hst",
      "default/hello-nginx-h88jv",
      "default/hello-nginx-qw2ts",
      "default/hello-nginx-x0hcg",
    ]);
  });
});
