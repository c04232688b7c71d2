import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { completeKubeProxyConfiguration } from "../../../../src/cluster/kube-proxy/configuration.ts";
import { formatIpsets } from "../../../../src/cluster/kube-proxy/ipvs/ipsets.ts";
import { formatIpvs, ipvsSync } from "../../../../src/cluster/kube-proxy/ipvs/sync.ts";
import { proxyNode } from "../../../../src/cluster/kube-proxy/node.ts";
import { proxier } from "../../../../src/cluster/kube-proxy/proxier.ts";
import { proxyState } from "../../../../src/cluster/kube-proxy/proxy-state.ts";

const node = proxyNode({ metadata: { name: "node-1" } }, ["127.0.0.1", "10.1.96.1", "10.244.1.1"]);
const own = proxier(completeKubeProxyConfiguration({ clusterCIDR: "10.244.0.0/16" }), node);
const ports = [{ port: 80, targetPort: 8080, nodePort: 30080 }];
const slice = (name: string) => ({
  metadata: { name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "", port: 8080, protocol: "TCP" }],
  endpoints: [
    { addresses: ["10.244.1.7"], nodeName: "node-1" },
    { addresses: ["10.244.2.7"], nodeName: "node-2" },
  ],
});
const state = proxyState(
  [
    {
      metadata: { name: "lb" },
      spec: {
        type: "LoadBalancer",
        clusterIP: "10.96.0.20",
        ports: [{ port: 443, targetPort: 8080 }],
        externalTrafficPolicy: "Local",
        loadBalancerSourceRanges: ["203.0.113.0/24"],
        externalIPs: ["192.0.2.9"],
        healthCheckNodePort: 30999,
      },
      status: { loadBalancer: { ingress: [{ ip: "198.51.100.5" }] } },
    },
    {
      metadata: { name: "web" },
      spec: { type: "NodePort", clusterIP: "10.96.0.10", ports, sessionAffinity: "ClientIP" },
    },
  ],
  [slice("lb"), slice("web")],
);
const sync = ipvsSync(state, {
  proxier: own,
  nodeAddresses: ["10.1.96.1", "10.244.1.1"],
  nodePortAddresses: ["10.1.96.1", "10.244.1.1"],
});

describe("ipvs mode", () => {
  it("has a virtual server for each address that a Service port is reached at", () => {
    expect(formatIpvs(sync.virtualServers, "rr")).toBe(
      [
        "-A -t 10.96.0.20:443 -s rr",
        "-a -t 10.96.0.20:443 -r 10.244.1.7:8080 -m -w 1",
        "-a -t 10.96.0.20:443 -r 10.244.2.7:8080 -m -w 1",
        "-A -t 192.0.2.9:443 -s rr",
        "-a -t 192.0.2.9:443 -r 10.244.1.7:8080 -m -w 1",
        "-A -t 198.51.100.5:443 -s rr",
        "-a -t 198.51.100.5:443 -r 10.244.1.7:8080 -m -w 1",
        "-A -t 10.96.0.10:80 -s rr -p 10800",
        "-a -t 10.96.0.10:80 -r 10.244.1.7:8080 -m -w 1",
        "-a -t 10.96.0.10:80 -r 10.244.2.7:8080 -m -w 1",
        "-A -t 10.1.96.1:30080 -s rr -p 10800",
        "-a -t 10.1.96.1:30080 -r 10.244.1.7:8080 -m -w 1",
        "-a -t 10.1.96.1:30080 -r 10.244.2.7:8080 -m -w 1",
        "-A -t 10.244.1.1:30080 -s rr -p 10800",
        "-a -t 10.244.1.1:30080 -r 10.244.1.7:8080 -m -w 1",
        "-a -t 10.244.1.1:30080 -r 10.244.2.7:8080 -m -w 1",
        "",
      ].join("\n"),
    );
    expect(sync.boundAddresses).toEqual(["10.96.0.20", "192.0.2.9", "198.51.100.5", "10.96.0.10"]);
  });

  it.each([
    ["KUBE-LOOP-BACK", ["10.244.1.7,tcp:8080,10.244.1.7"]],
    ["KUBE-CLUSTER-IP", ["10.96.0.20,tcp:443", "10.96.0.10,tcp:80"]],
    ["KUBE-EXTERNAL-IP", undefined],
    ["KUBE-EXTERNAL-IP-LOCAL", ["192.0.2.9,tcp:443"]],
    ["KUBE-LOAD-BALANCER", ["198.51.100.5,tcp:443"]],
    ["KUBE-LOAD-BALANCER-LOCAL", ["198.51.100.5,tcp:443"]],
    ["KUBE-LOAD-BALANCER-FW", ["198.51.100.5,tcp:443"]],
    ["KUBE-LOAD-BALANCER-SOURCE-CIDR", ["198.51.100.5,tcp:443,203.0.113.0/24"]],
    ["KUBE-LOAD-BALANCER-SOURCE-IP", undefined],
    ["KUBE-NODE-PORT-TCP", ["30080"]],
    ["KUBE-NODE-PORT-LOCAL-TCP", undefined],
    ["KUBE-HEALTH-CHECK-NODE-PORT", ["30999"]],
    ["KUBE-IPVS-IPS", ["10.96.0.20", "192.0.2.9", "198.51.100.5", "10.96.0.10"]],
  ])("puts into %s: %j", (name, entries) => {
    expect(sync.ipsets.get(name)).toEqual(entries);
  });

  it("has a rule a set, not a Service", () => {
    expect(sync.restore).toMatchInlineSnapshot(`
      "*nat
      :KUBE-SERVICES - [0:0]
      :KUBE-POSTROUTING - [0:0]
      :KUBE-NODE-PORT - [0:0]
      :KUBE-LOAD-BALANCER - [0:0]
      :KUBE-MARK-MASQ - [0:0]
      -A KUBE-SERVICES -s 127.0.0.0/8 -j RETURN
      -A KUBE-POSTROUTING -m comment --comment "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose" -m set --match-set KUBE-LOOP-BACK dst,dst,src -j MASQUERADE
      -A KUBE-SERVICES -m comment --comment "Kubernetes service lb portal" -m set --match-set KUBE-LOAD-BALANCER dst,dst -j KUBE-LOAD-BALANCER
      -A KUBE-LOAD-BALANCER -m comment --comment "Kubernetes service load balancer ip + port with externalTrafficPolicy=local" -m set --match-set KUBE-LOAD-BALANCER-LOCAL dst,dst -j RETURN
      -A KUBE-NODE-PORT -p tcp -m comment --comment "Kubernetes nodeport TCP port for masquerade purpose" -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-MARK-MASQ
      -A KUBE-SERVICES -m comment --comment "Kubernetes service cluster ip + port for masquerade purpose" -m set --match-set KUBE-CLUSTER-IP dst,dst ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
      -A KUBE-SERVICES -m comment --comment "Kubernetes service external ip + port with externalTrafficPolicy=local" -m set --match-set KUBE-EXTERNAL-IP-LOCAL dst,dst -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ACCEPT
      -A KUBE-SERVICES -m comment --comment "Kubernetes service external ip + port with externalTrafficPolicy=local" -m set --match-set KUBE-EXTERNAL-IP-LOCAL dst,dst -m addrtype --dst-type LOCAL -j ACCEPT
      -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT
      -A KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ
      -A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT
      -A KUBE-SERVICES -m set --match-set KUBE-LOAD-BALANCER dst,dst -j ACCEPT
      -A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
      -A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
      -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
      -A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
      COMMIT
      *filter
      :KUBE-FORWARD - [0:0]
      :KUBE-NODE-PORT - [0:0]
      :KUBE-PROXY-FIREWALL - [0:0]
      :KUBE-SOURCE-RANGES-FIREWALL - [0:0]
      :KUBE-IPVS-FILTER - [0:0]
      :KUBE-IPVS-OUT-FILTER - [0:0]
      -A KUBE-PROXY-FIREWALL -m comment --comment "Kubernetes service load balancer ip + port for load balancer with sourceRange" -m set --match-set KUBE-LOAD-BALANCER-FW dst,dst -j KUBE-SOURCE-RANGES-FIREWALL
      -A KUBE-SOURCE-RANGES-FIREWALL -m comment --comment "Kubernetes service load balancer ip + port + source cidr for packet filter purpose" -m set --match-set KUBE-LOAD-BALANCER-SOURCE-CIDR dst,dst,src -j RETURN
      -A KUBE-SOURCE-RANGES-FIREWALL -j DROP
      -A KUBE-IPVS-OUT-FILTER -s 198.51.100.5 -m ipvs --vaddr 198.51.100.5 --vproto tcp --vport 443 -j DROP
      -A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
      -A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A KUBE-NODE-PORT -m comment --comment "Kubernetes health check node port" -m set --match-set KUBE-HEALTH-CHECK-NODE-PORT dst -j ACCEPT
      -A KUBE-IPVS-FILTER -m set --match-set KUBE-LOAD-BALANCER dst,dst -j RETURN
      -A KUBE-IPVS-FILTER -m set --match-set KUBE-CLUSTER-IP dst,dst -j RETURN
      -A KUBE-IPVS-FILTER -m set --match-set KUBE-EXTERNAL-IP dst,dst -j RETURN
      -A KUBE-IPVS-FILTER -m set --match-set KUBE-EXTERNAL-IP-LOCAL dst,dst -j RETURN
      -A KUBE-IPVS-FILTER -m set --match-set KUBE-HEALTH-CHECK-NODE-PORT dst -j RETURN
      -A KUBE-IPVS-FILTER -m conntrack --ctstate NEW -m set --match-set KUBE-IPVS-IPS dst -j REJECT
      COMMIT
      "
    `);
  });
});

const tools = spawnSync("unshare", ["-n", "sh", "-c", "ipset list -n && iptables -w -S"], {
  encoding: "utf8",
});

describe("the real ipset and iptables-restore", () => {
  it.skipIf(tools.status !== 0)("take the sets and the rules (skipped without the tools or root)", () => {
    const rules = sync.restore
      .split("\n")
      // xt_ipvs is a module that few kernels have
      .filter((line) => !line.includes("-m ipvs "))
      .join("\n");
    const { status, stderr } = spawnSync(
      "unshare",
      [
        "-n",
        "sh",
        "-c",
        'printf %s "$SETS" | ipset restore && printf %s "$RULES" | iptables-restore --noflush --counters',
      ],
      { encoding: "utf8", env: { ...process.env, SETS: formatIpsets(sync.ipsets), RULES: rules } },
    );
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});
