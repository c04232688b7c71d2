import { describe, expect, it } from "vitest";
import type { TraceRequest } from "../../src/trace/request.ts";
import type { Place, Trace } from "../../src/trace/trace.ts";
import { type Edits, gist, traceIn } from "./cluster.ts";

const NODE1 = "srv-k8s-node1";
const NODE2 = "srv-k8s-node2";
const ACROSS: TraceRequest = { from: "pod/client", to: "pod/nginxpod:80" };
const DNS_ACROSS: TraceRequest = { from: "pod/client", to: "pod/kube-system/kube-dns:53", protocol: "udp" };

/** Service addresses outside flannel's network, and a kube-proxy that does not know which addresses are pods'. */
const NO_CLUSTER_CIDR: Edits = [
  ["serviceCIDR: 192.168.0.0/17", "serviceCIDR: 10.254.0.0/16"],
  ["clusterIP: 192.168.", "clusterIP: 10.254."],
  [
    "kind: Host\nmetadata: {name: laptop}",
    'kind: Host\nmetadata: {name: laptop2}\nspec: {address: 10.1.96.11/24}\n---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nclusterCIDR: ""\n---\napiVersion: podpath.dev/v1alpha1\nkind: Host\nmetadata: {name: laptop}',
  ],
];
const STRICT_NODE2: Edits = [
  [
    "srv-k8s-master1: {listen: [6443, 10250]}",
    "srv-k8s-master1: {listen: [6443, 10250]}\n    srv-k8s-node2: {sysctl: {net.ipv4.conf.all.rp_filter: 1}}",
  ],
];

interface Case {
  readonly what: string;
  readonly request: TraceRequest;
  readonly edits?: Edits;
  readonly verdict: Trace["verdict"];
  readonly reason: string | null;
  readonly at: Partial<Place> | null;
  readonly icmp?: string;
}

const cases: Case[] = [
  {
    what: "a Service without endpoints rejects",
    request: { from: "pod/client", to: "svc/no-endpoints:80" },
    verdict: "rejected",
    reason: "NETFILTER_DROP",
    at: { netns: NODE1, hook: "FORWARD", table: "filter", chain: "KUBE-SERVICES", rule: 1 },
    icmp: "3/3 192.168.97.1",
  },
  {
    what: "a NodePort without endpoints rejects",
    request: { from: "host/laptop", to: `node/${NODE1}:30099` },
    verdict: "rejected",
    reason: "NETFILTER_DROP",
    at: { netns: NODE1, hook: "INPUT", table: "filter", chain: "KUBE-EXTERNAL-SERVICES", rule: 1 },
    icmp: "3/3 10.1.96.232",
  },
  {
    what: "ip_forward=0 ends what has to be routed",
    request: ACROSS,
    edits: [["net.ipv4.ip_forward: 1\n      net.bridge", "net.ipv4.ip_forward: 0\n      net.bridge"]],
    verdict: "dropped",
    reason: "IP_INADDRERRORS",
    at: { netns: NODE1, device: "docker0" },
  },
  {
    what: "FORWARD's policy DROP on the other node",
    request: DNS_ACROSS,
    edits: [["forwardPolicy: ACCEPT", "forwardPolicy: DROP"]],
    verdict: "dropped",
    reason: "NETFILTER_DROP",
    at: { netns: NODE2, hook: "FORWARD", table: "filter", chain: "FORWARD", rule: null },
  },
  {
    what: "rp_filter=1 where the answer would leave by another device",
    request: { from: `node/${NODE1}`, to: "svc/kube-system/kube-dns:dns-tcp" },
    edits: [...NO_CLUSTER_CIDR, ...STRICT_NODE2],
    verdict: "dropped",
    reason: "IP_RPFILTER",
    at: { netns: NODE2, device: "flannel0" },
  },
  {
    what: "a closed TCP port",
    request: { from: "pod/client", to: "pod/nginxpod:81" },
    verdict: "refused",
    reason: "NO_SOCKET",
    at: { netns: `${NODE2}/default/nginxpod`, device: "eth0" },
  },
  {
    what: "a closed UDP port",
    request: { from: "pod/client", to: "pod/nginxpod:81", protocol: "udp" },
    verdict: "refused",
    reason: "NO_SOCKET",
    at: { netns: `${NODE2}/default/nginxpod` },
    icmp: "3/3 192.168.96.54",
  },
  {
    what: "TTL 1 ends on the first node",
    request: { ...DNS_ACROSS, ttl: 1 },
    verdict: "expired",
    reason: "IP_INHDR",
    at: { netns: NODE1 },
    icmp: "11/0 192.168.97.1",
  },
  {
    what: "TTL 2 ends in the first flanneld, without a word",
    request: { ...DNS_ACROSS, ttl: 2 },
    verdict: "dropped",
    reason: null,
    at: { netns: NODE1, device: "flannel0" },
  },
  {
    what: "TTL 3 ends in the second flanneld, without a word",
    request: { ...DNS_ACROSS, ttl: 3 },
    verdict: "dropped",
    reason: null,
    at: { netns: NODE2, device: "flannel0" },
  },
  {
    what: "TTL 4 ends on the second node",
    request: { ...DNS_ACROSS, ttl: 4 },
    verdict: "expired",
    reason: "IP_INHDR",
    at: { netns: NODE2 },
    icmp: "11/0 192.168.96.0",
  },
  {
    what: "a traceroute to a ClusterIP shows the ClusterIP as every hop",
    request: { from: "pod/client", to: "svc/kube-system/kube-dns:dns", ttl: 4 },
    verdict: "expired",
    reason: "IP_INHDR",
    at: { netns: NODE2 },
    icmp: "11/0 192.168.0.10",
  },
  {
    what: "a DF packet over the tunnel's MTU",
    request: { ...DNS_ACROSS, size: 1480, dontFragment: true },
    verdict: "unreachable",
    reason: "PKT_TOO_BIG",
    at: { netns: NODE1, device: "docker0" },
    icmp: "3/4 192.168.97.1",
  },
  {
    what: "a DF packet over the sender's own MTU is never sent",
    request: { ...DNS_ACROSS, size: 2000, dontFragment: true },
    verdict: "unreachable",
    reason: "PKT_TOO_BIG",
    at: { netns: "srv-k8s-node1/default/client", device: null, hook: null },
  },
  {
    what: "an address that the gateway has no route to",
    request: { from: "pod/client", to: "172.31.0.1:80" },
    verdict: "unreachable",
    reason: "IP_INNOROUTES",
    at: { netns: "gw" },
    icmp: "3/0 10.1.96.1",
  },
  {
    what: "an address inside flannel's network that no lease covers: flanneld's answer is a martian",
    request: { from: "pod/client", to: "192.168.5.5:80" },
    verdict: "dropped",
    reason: "IP_LOCAL_SOURCE",
    at: { netns: NODE1, device: "flannel0" },
  },
  {
    what: "no such host on the segment",
    request: { from: "host/laptop", to: "10.1.96.77:80" },
    verdict: "unreachable",
    reason: "NEIGH_FAILED",
    at: { netns: "laptop" },
    icmp: "3/1 10.1.96.10",
  },
  {
    what: "no such pod on a live node",
    request: { from: "pod/client", to: "192.168.96.200:80" },
    verdict: "unreachable",
    reason: "NEIGH_FAILED",
    at: { netns: NODE2, device: "docker0" },
    icmp: "3/1 192.168.96.0",
  },
  {
    what: "itself behind a ClusterIP with hairpin off",
    request: { from: "pod/kube-system/kube-dns", to: "svc/kube-system/kube-dns:dns" },
    verdict: "dropped",
    reason: "NOT_SPECIFIED",
    at: { netns: NODE2 },
  },
];

describe("how a packet fails, and where", () => {
  it.each(cases)("$what", ({ request, edits = [], verdict, reason, at, icmp }) => {
    const trace = traceIn(edits, request);
    expect({
      verdict: trace.verdict,
      reason: trace.reason,
      delivered: trace.delivered,
      reply: trace.reply,
    }).toEqual({
      verdict,
      reason,
      delivered: null,
      reply: null,
    });
    if (at === null) expect(trace.at).toBeNull();
    else expect(trace.at).toMatchObject(at);
    expect(gist(trace).icmp).toBe(icmp ?? null);
  });

  it("a closed TCP port is told by a reset from the address that was asked", () => {
    const { reset, request } = traceIn([], { from: "pod/client", to: "pod/nginxpod:81" });
    expect(reset).toEqual({ source: "192.168.96.54:81", destination: request.source, ttl: 60 });
  });

  it("bridge-nf-call-iptables=0: on one bridge the answer to a ClusterIP comes from the wrong address", () => {
    const edits: Edits = [["bridge-nf-call-iptables: 1", "bridge-nf-call-iptables: 0"]];
    const trace = traceIn(edits, { from: "pod/client2", to: "svc/kube-system/kube-dns:dns-tcp" });
    expect(trace.delivered).toMatchObject({
      netns: `${NODE2}/kube-system/kube-dns`,
      source: trace.request.source,
    });
    expect(trace.reply).toMatchObject({
      verdict: "refused",
      reason: "NO_SOCKET",
      source: "192.168.96.10:53",
      destination: trace.request.source,
    });
  });

  it("ip_forward=0 leaves bridging alone", () => {
    const edits: Edits = [
      ["net.ipv4.ip_forward: 1\n      net.bridge", "net.ipv4.ip_forward: 0\n      net.bridge"],
    ];
    expect(traceIn(edits, { from: "pod/client2", to: "pod/nginxpod:80" }).verdict).toBe("delivered");
  });

  it("what the sender's own namespace refuses has an errno", () => {
    const trace = traceIn([], { ...DNS_ACROSS, size: 2000, dontFragment: true });
    expect(trace.errno).toBe("EMSGSIZE");
    expect(trace.path).toEqual([]);
  });
});
