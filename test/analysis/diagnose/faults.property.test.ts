import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diagnose } from "../../../src/analysis/diagnose/diagnose.ts";
import { modelOf } from "./topology.ts";

/** What may be wrong with the cluster below, and the words that make it so. */
const FAULTS = {
  "hairpin-off": ["hairpin: true", "hairpin: false"],
  "ip-forward-off": ["ip_forward: 1", "ip_forward: 0"],
  "forward-drop": ["forwardPolicy: ACCEPT", "forwardPolicy: DROP"],
  "flannel-lease-gone": ["lease: true", "lease: false"],
  "udp-port-filtered": ["--dport 8285 -j ACCEPT", "--dport 8285 -j DROP"],
  "missing-masquerade": ["ipMasq: true}", "ipMasq: false}"],
  "no-endpoints": ["selector: {app: shop}", "selector: {app: shpo}"],
  "target-port-wrong": ["targetPort: 80", "targetPort: 8080"],
  "service-cidr-overlap": ["serviceCIDR: 10.254.0.0/16", "serviceCIDR: 10.244.128.0/17"],
  "udp-stale-conntrack": ["conntrackCleanup: true", "conntrackCleanup: false"],
  "external-ip-hijack": ["externalIPs: []", "externalIPs: [10.1.96.50]"],
  "nodeport-occupied": ["listen: [10250]", "listen: [10250, 30080]"],
} as const;
type FaultId = keyof typeof FAULTS;
const IDS = Object.keys(FAULTS) as FaultId[];

const SOUND = `
apiVersion: podpath.dev/v1alpha1
kind: Cluster
metadata: {name: test}
spec:
  serviceCIDR: 10.254.0.0/16
  flannel: {Network: 10.244.0.0/16, ipMasq: true}
  kubeProxy: {conntrackCleanup: true}
  segments: [{name: lan, subnet: 10.1.96.0/24, gateway: 10.1.96.1}]
  node: {docker: {ipMasq: false, hairpin: true, mtu: 1472}}
  nodes:
    node1: {sysctl: {net.ipv4.ip_forward: 1}, listen: [10250]}
    node2:
      docker: {forwardPolicy: ACCEPT}
      flannel: {lease: true}
      iptables: |
        *filter
        -A INPUT -p udp -m udp --dport 8285 -j ACCEPT
        COMMIT
---
{apiVersion: podpath.dev/v1alpha1, kind: Host, metadata: {name: db}, spec: {address: 10.1.96.50/24, listen: [5432]}}
---
{apiVersion: v1, kind: Node, metadata: {name: node1}, spec: {podCIDR: 10.244.1.0/24}}
---
{apiVersion: v1, kind: Node, metadata: {name: node2}, spec: {podCIDR: 10.244.2.0/24}}
---
{apiVersion: v1, kind: Pod, metadata: {name: client}, spec: {nodeName: node1, containers: [{name: client}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {nodeName: node2, containers: [{name: web, ports: [{containerPort: 80}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: shop, labels: {app: shop}}, spec: {nodeName: node2, containers: [{name: shop, ports: [{containerPort: 80}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: dns, labels: {app: dns}}, spec: {nodeName: node2, containers: [{name: dns, ports: [{containerPort: 53, protocol: UDP}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: proxy, labels: {app: proxy}}, spec: {nodeName: node2, containers: [{name: proxy, ports: [{containerPort: 5432}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: shop}, spec: {type: NodePort, externalTrafficPolicy: Cluster, selector: {app: shop}, ports: [{port: 80, nodePort: 30080}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: dns}, spec: {selector: {app: dns}, ports: [{port: 53, protocol: UDP}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: proxy}, spec: {externalIPs: [], selector: {app: proxy}, ports: [{port: 5432}]}}
`;

function withFaults(ids: readonly FaultId[]): string {
  return ids.reduce((text, id) => {
    const [sound, wrong] = FAULTS[id];
    if (!text.includes(sound)) throw new Error(`the topology does not say ${sound}`);
    return text.replace(sound, wrong);
  }, SOUND);
}

/** Whatever has no endpoints has no NodePort that could take a port from anybody. */
const shown = (ids: readonly FaultId[]): FaultId[] =>
  ids.includes("no-endpoints") ? ids.filter((id) => id !== "nodeport-occupied") : [...ids];

describe("several faults at once", () => {
  it("are found, all of them and no other, whichever hides behind which", () => {
    fc.assert(
      fc.property(fc.subarray(IDS, { maxLength: 5 }), (ids) => {
        const findings = diagnose(modelOf(withFaults(ids)));
        const found = new Set(findings.filter(({ severity }) => severity !== "info").map(({ id }) => id));
        expect([...found].sort()).toEqual(shown(ids).sort());
      }),
      { numRuns: 20 },
    );
  }, 60_000);
});
