import type { Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { describe, expect, it } from "vitest";
import {
  completeKubeProxyConfiguration,
  type PartialKubeProxyConfiguration,
} from "../../../src/cluster/kube-proxy/configuration.ts";
import { chainHash, endpointChainName } from "../../../src/cluster/kube-proxy/names.ts";
import { generateRestore } from "../../../src/cluster/kube-proxy/v1.7/restore.ts";
import { loadBalancer, NODE, nodePort, service, slice } from "./cluster.ts";

const CIDR = { clusterCIDR: "192.168.0.0/16" };

/** The restore with the hashes of default/web and of its endpoints written as words. */
function restore17(
  services: readonly Service[],
  endpointSlices: readonly EndpointSlice[],
  config: PartialKubeProxyConfiguration = CIDR,
): readonly string[] {
  const complete = completeKubeProxyConfiguration(config);
  let text = generateRestore({ services, endpointSlices, node: NODE, config: complete });
  text = text.replaceAll(chainHash("default/webtcp"), "WEB");
  for (const ip of ["192.168.96.4", "192.168.97.3"]) {
    text = text.replaceAll(endpointChainName("default/web", "tcp", `${ip}:8080`), `SEP-${ip}`);
  }
  return text.split("\n");
}

const own = (rules: readonly string[]) =>
  rules.filter((rule) => /WEB|SEP-|has no endpoints|default\/web/.test(rule));

const BOTH = [slice(["192.168.97.3 local", "192.168.96.4", "192.168.96.5 unready"])];
const REMOTE = [slice(["192.168.96.4"])];

const SERVICES = (what: string, address: string) =>
  `-A KUBE-SERVICES -m comment --comment "default/web ${what}" -m tcp -p tcp -d ${address}/32 --dport 80`;

describe("kube-proxy 1.7", () => {
  it("frames its rules with the four chains of its time", () => {
    expect(restore17([], [])).toEqual([
      "*filter",
      ":KUBE-SERVICES - [0:0]",
      "COMMIT",
      "*nat",
      ":KUBE-SERVICES - [0:0]",
      ":KUBE-NODEPORTS - [0:0]",
      ":KUBE-POSTROUTING - [0:0]",
      ":KUBE-MARK-MASQ - [0:0]",
      '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -m mark --mark 0x00004000/0x00004000 -j MASQUERADE',
      "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x00004000/0x00004000",
      '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
      "COMMIT",
      "",
    ]);
  });

  const clusterIP = SERVICES("cluster IP", "10.0.0.10");
  const sep = (ip: string) => [
    `-A SEP-${ip} -m comment --comment default/web -s ${ip}/32 -j KUBE-MARK-MASQ`,
    `-A SEP-${ip} -m comment --comment default/web -m tcp -p tcp -j DNAT --to-destination ${ip}:8080`,
  ];
  const balanced = [
    "-A KUBE-SVC-WEB -m comment --comment default/web -m statistic --mode random --probability 0.50000 -j SEP-192.168.96.4",
    ...sep("192.168.96.4"),
    "-A KUBE-SVC-WEB -m comment --comment default/web -j SEP-192.168.97.3",
    ...sep("192.168.97.3"),
  ];
  const chains = [":SEP-192.168.96.4 - [0:0]", ":SEP-192.168.97.3 - [0:0]"];

  it("spreads over ready endpoints, each chain following its rule", () => {
    expect(own(restore17([service()], BOTH))).toEqual([
      ":KUBE-SVC-WEB - [0:0]",
      ...chains,
      `${clusterIP} ! -s 192.168.0.0/16 -j KUBE-MARK-MASQ`,
      `${clusterIP} -j KUBE-SVC-WEB`,
      ...balanced,
    ]);
  });

  it.each<[string, PartialKubeProxyConfiguration, readonly string[]]>([
    ["masqueradeAll", { iptables: { masqueradeAll: true } }, [`${clusterIP} -j KUBE-MARK-MASQ`]],
    [
      "masqueradeAll with a block",
      { ...CIDR, iptables: { masqueradeAll: true } },
      [`${clusterIP} -j KUBE-MARK-MASQ`, `${clusterIP} ! -s 192.168.0.0/16 -j KUBE-MARK-MASQ`],
    ],
    ["no block", {}, []],
  ])("%s", (_, config, masquerade) => {
    const rules = restore17([service()], BOTH, config).filter((rule) => rule.startsWith(clusterIP));
    expect(rules).toEqual([...masquerade, `${clusterIP} -j KUBE-SVC-WEB`]);
  });

  it("remembers a client for three hours whatever the Service asks for", () => {
    const sticky = service({
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
    });
    expect(own(restore17([sticky], REMOTE)).slice(-4)).toEqual([
      "-A KUBE-SVC-WEB -m comment --comment default/web -m recent --name SEP-192.168.96.4 --rcheck --seconds 10800 --reap -j SEP-192.168.96.4",
      "-A KUBE-SVC-WEB -m comment --comment default/web -j SEP-192.168.96.4",
      "-A SEP-192.168.96.4 -m comment --comment default/web -s 192.168.96.4/32 -j KUBE-MARK-MASQ",
      "-A SEP-192.168.96.4 -m comment --comment default/web -m recent --name SEP-192.168.96.4 --set -m tcp -p tcp -j DNAT --to-destination 192.168.96.4:8080",
    ]);
  });

  it("masquerades all NodePort traffic under policy Cluster", () => {
    const head = "-A KUBE-NODEPORTS -m comment --comment default/web -m tcp -p tcp --dport 30080";
    const rules = restore17([nodePort()], BOTH).filter((rule) => rule.startsWith("-A KUBE-NODEPORTS"));
    expect(rules).toEqual([`${head} -j KUBE-MARK-MASQ`, `${head} -j KUBE-SVC-WEB`]);
  });

  const redirect =
    '-A KUBE-XLB-WEB -m comment --comment "Redirect pods trying to reach external loadbalancer VIP to clusterIP" -s 192.168.0.0/16 -j KUBE-SVC-WEB';
  it.each([
    [
      "local endpoints",
      BOTH,
      [
        redirect,
        '-A KUBE-XLB-WEB -m comment --comment "Balancing rule 0 for default/web" -j SEP-192.168.97.3',
      ],
    ],
    [
      "none",
      REMOTE,
      [
        redirect,
        '-A KUBE-XLB-WEB -m comment --comment "default/web has no local endpoints" -j KUBE-MARK-DROP',
      ],
    ],
  ])("policy Local, %s", (_, slices, expected) => {
    const rules = restore17([nodePort({ externalTrafficPolicy: "Local" })], slices);
    expect(rules.filter((rule) => rule.startsWith("-A KUBE-XLB-WEB"))).toEqual(expected);
    expect(rules).toContain(
      "-A KUBE-NODEPORTS -m comment --comment default/web -m tcp -p tcp --dport 30080 -j KUBE-XLB-WEB",
    );
    expect(rules).toContain(":KUBE-XLB-WEB - [0:0]");
  });

  it("sends an external address's traffic on only from off the machine, or to the machine", () => {
    const head = SERVICES("external IP", "198.51.100.7");
    const rules = restore17([service({ externalIPs: ["198.51.100.7"] })], REMOTE).filter((rule) =>
      rule.startsWith(head),
    );
    expect(rules).toEqual([
      `${head} -j KUBE-MARK-MASQ`,
      `${head} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j KUBE-SVC-WEB`,
      `${head} -m addrtype --dst-type LOCAL -j KUBE-SVC-WEB`,
    ]);
  });

  const fw = '-A KUBE-FW-WEB -m comment --comment "default/web loadbalancer IP"';
  const ranges = { loadBalancerSourceRanges: ["198.51.100.7/24", "10.1.0.0/16"] };
  it.each([
    ["policy Cluster", {}, [`${fw} -j KUBE-MARK-MASQ`, `${fw} -j KUBE-SVC-WEB`, `${fw} -j KUBE-MARK-DROP`]],
    [
      "policy Local",
      { externalTrafficPolicy: "Local" },
      [`${fw} -j KUBE-XLB-WEB`, `${fw} -j KUBE-MARK-DROP`],
    ],
    [
      "source ranges, one with the node",
      ranges,
      [
        `${fw} -j KUBE-MARK-MASQ`,
        `${fw} -s 198.51.100.7/24 -j KUBE-SVC-WEB`,
        `${fw} -s 10.1.0.0/16 -j KUBE-SVC-WEB`,
        `${fw} -s 203.0.113.10/32 -j KUBE-SVC-WEB`,
        `${fw} -j KUBE-MARK-DROP`,
      ],
    ],
  ])("load balancer, %s", (_, spec, expected) => {
    const rules = restore17([loadBalancer(spec)], BOTH);
    expect(rules.filter((rule) => rule.startsWith("-A KUBE-FW-WEB"))).toEqual(expected);
    expect(rules).toContain(`${SERVICES("loadbalancer IP", "203.0.113.10")} -j KUBE-FW-WEB`);
  });

  it("refuses everything but a load balancer's address without endpoints, and keeps the nat rules", () => {
    const refused = '-A KUBE-SERVICES -m comment --comment "default/web has no endpoints"';
    const rules = restore17([loadBalancer({ externalIPs: ["198.51.100.7"] })], []);
    expect(rules.filter((rule) => rule.includes("REJECT"))).toEqual([
      `${refused} -m tcp -p tcp -d 198.51.100.7/32 --dport 80 -j REJECT`,
      `${refused} -m addrtype --dst-type LOCAL -m tcp -p tcp --dport 30080 -j REJECT`,
      `${refused} -m tcp -p tcp -d 10.0.0.10/32 --dport 80 -j REJECT`,
    ]);
    expect(rules).toContain(`${clusterIP} -j KUBE-SVC-WEB`);
  });
});
