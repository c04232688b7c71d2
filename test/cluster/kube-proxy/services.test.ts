import type { Service } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import {
  chainHash,
  endpointChainName,
  servicePortNameString,
} from "../../../src/cluster/kube-proxy/names.ts";
import { backends, loadBalancer, nodePort, rulesOf, service, slice } from "./cluster.ts";

const ENDPOINTS = [slice(["192.168.97.3 local", "192.168.96.4"])];
const REMOTE = [slice(["192.168.96.4"])];
const NONE = [slice([])];

/** Rules of a chain without `-A CHAIN`, the hash of default/web written WEB. */
function chain(rules: readonly string[], name: string): readonly string[] {
  const hash = chainHash("default/webtcp");
  return rules
    .map((rule) => rule.replaceAll(hash, "WEB"))
    .filter((rule) => rule.startsWith(`-A ${name} `))
    .map((rule) => rule.slice(name.length + 4));
}

describe("names", () => {
  it.each([
    ["default", "web", "", "default/web"],
    ["kube-system", "dns", "dns-tcp", "kube-system/dns:dns-tcp"],
  ])("of a port of %s/%s: %s", (namespace, name, port, expected) => {
    expect(servicePortNameString(namespace, name, port)).toBe(expected);
  });

  it("hash to the chains that the real kube-proxy made", () => {
    expect(chainHash("default/webtcp")).toBe("LOLE4ISW44XBNF3G");
    expect(endpointChainName("default/web", "tcp", "192.168.96.4:80")).toBe("KUBE-SEP-F4NGFM33IPRKMH55");
  });
});

describe("which Services have rules", () => {
  const labelled = (label: string): Service => {
    const one = service();
    return { ...one, metadata: { ...one.metadata, labels: { [label]: "other" } } };
  };
  it.each<[string, Service, string | undefined]>([
    ["a cluster IP", service(), "10.0.0.10"],
    ["no cluster IP", service({ clusterIP: "" }), undefined],
    ["headless", service({ clusterIP: "None" }), undefined],
    ["ExternalName", service({ type: "ExternalName" }), undefined],
    ["another proxy's", labelled("service.kubernetes.io/service-proxy-name"), undefined],
    ["labelled headless", labelled("service.kubernetes.io/headless"), undefined],
    ["IPv6 alone", service({ clusterIP: "fd00::10" }), undefined],
    [
      "IPv6 alone, said twice",
      service({ clusterIP: "fd00::10", clusterIPs: ["fd00::10"], ipFamilies: ["IPv6"] }),
      undefined,
    ],
    [
      "both families",
      service({ clusterIP: "fd00::10", clusterIPs: ["fd00::10", "10.0.0.11"], ipFamilies: ["IPv6", "IPv4"] }),
      "10.0.0.11",
    ],
    ["an IPv4 family", service({ clusterIPs: ["10.0.0.10"], ipFamilies: ["IPv4"] }), "10.0.0.10"],
  ])("%s", (_, one, address) => {
    const found = rulesOf([one], ENDPOINTS).find((rule) => rule.includes("cluster IP"));
    expect(/ -d (\S+)/.exec(found ?? "")?.[1]).toBe(address);
  });
});

describe("where traffic is refused", () => {
  const local = {
    externalTrafficPolicy: "Local",
    internalTrafficPolicy: "Local",
    externalIPs: ["198.51.100.7"],
  };
  const addresses = [
    '-m comment --comment "WHY" -m tcp -p tcp -d 198.51.100.7 --dport 80 -j TARGET',
    '-m comment --comment "WHY" -m tcp -p tcp -d 203.0.113.10 --dport 80 -j TARGET',
    '-m comment --comment "WHY" -m addrtype --dst-type LOCAL -m tcp -p tcp --dport 30080 -j TARGET',
  ];
  it.each([
    ["REJECT without any endpoint", NONE, "default/web has no endpoints", "REJECT"],
    ["REJECT without any slice", [], "default/web has no endpoints", "REJECT"],
    ["DROP without a local endpoint", REMOTE, "default/web has no local endpoints", "DROP"],
  ])("%s", (_, slices, why, target) => {
    const rules = rulesOf([loadBalancer(local)], slices);
    const spell = (rule: string) => rule.replace("WHY", why).replace("TARGET", target);
    expect(chain(rules, "KUBE-EXTERNAL-SERVICES")).toEqual(addresses.map(spell));
    expect(rules).toContain(
      spell('-A KUBE-SERVICES -m comment --comment "WHY" -m tcp -p tcp -d 10.0.0.10 --dport 80 -j TARGET'),
    );
  });

  it("makes no chain of the port's own without any endpoint", () => {
    expect(
      rulesOf([loadBalancer(local)], NONE).filter((rule) => /^:KUBE-(SVC|SVL|EXT|FW|SEP)-/.test(rule)),
    ).toEqual([]);
  });

  it("refuses nothing where there are local endpoints", () => {
    expect(
      rulesOf([loadBalancer(local)], ENDPOINTS).filter((rule) => /REJECT|local endpoints/.test(rule)),
    ).toEqual([]);
  });

  it("accepts health checks with or without endpoints", () => {
    const checked = loadBalancer({ externalTrafficPolicy: "Local", healthCheckNodePort: 32001 });
    const accept =
      '-m comment --comment "default/web health check node port" -m tcp -p tcp --dport 32001 -j ACCEPT';
    for (const slices of [NONE, REMOTE, ENDPOINTS])
      expect(chain(rulesOf([checked], slices), "KUBE-NODEPORTS")).toContain(accept);
    const cluster = loadBalancer({ externalTrafficPolicy: "Cluster", healthCheckNodePort: 32001 });
    expect(chain(rulesOf([cluster], ENDPOINTS), "KUBE-NODEPORTS")).not.toContain(accept);
  });
});

describe("KUBE-EXT", () => {
  const shortCuts = [
    '-m comment --comment "pod traffic for default/web external destinations" -s 192.168.0.0/16 -j KUBE-SVC-WEB',
    '-m comment --comment "masquerade LOCAL traffic for default/web external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ',
    '-m comment --comment "route LOCAL traffic for default/web external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-WEB',
  ];
  const masquerade =
    '-m comment --comment "masquerade traffic for default/web external destinations" -j KUBE-MARK-MASQ';
  it.each([
    ["policy Cluster", nodePort(), ENDPOINTS, [masquerade, "-j KUBE-SVC-WEB"]],
    [
      "policy Local",
      nodePort({ externalTrafficPolicy: "Local" }),
      ENDPOINTS,
      [...shortCuts, "-j KUBE-SVL-WEB"],
    ],
    ["policy Local, none local", nodePort({ externalTrafficPolicy: "Local" }), REMOTE, shortCuts],
    [
      "internal policy Local alone",
      nodePort({ internalTrafficPolicy: "Local" }),
      REMOTE,
      [masquerade, "-j KUBE-SVC-WEB"],
    ],
    [
      "external IPs of a ClusterIP Service, policy Local",
      service({ externalIPs: ["198.51.100.7"], externalTrafficPolicy: "Local" }),
      REMOTE,
      shortCuts,
    ],
    ["a cluster IP alone", service(), ENDPOINTS, []],
  ])("%s", (_, one, slices, expected) => {
    expect(chain(rulesOf([one], slices), "KUBE-EXT-WEB")).toEqual(expected);
  });

  it("has no short cut for pods where they cannot be told", () => {
    const rules = rulesOf([nodePort({ externalTrafficPolicy: "Local" })], REMOTE, { clusterCIDR: "" });
    expect(chain(rules, "KUBE-EXT-WEB")).toEqual(shortCuts.slice(1));
  });
});

describe("KUBE-FW", () => {
  const from = (source: string) =>
    `-m comment --comment "default/web loadbalancer IP" -s ${source} -j KUBE-EXT-WEB`;
  const last = '-m comment --comment "other traffic to default/web will be dropped by KUBE-PROXY-FIREWALL"';
  it.each([
    ["a range", ["198.51.100.0/24"], [from("198.51.100.0/24"), last]],
    ["host bits and blanks", [" 198.51.100.7/24 "], [from("198.51.100.0/24"), last]],
    [
      "the node's own range",
      ["10.1.0.0/16", "198.51.100.0/24"],
      [from("10.1.0.0/16"), from("198.51.100.0/24"), from("203.0.113.10"), last],
    ],
    ["IPv6 passed over", ["fd00::/8", "198.51.100.0/24"], [from("198.51.100.0/24"), last]],
    ["IPv6 alone is no range at all", ["fd00::/8"], []],
  ])("%s", (_, loadBalancerSourceRanges, expected) => {
    const rules = rulesOf([loadBalancer({ loadBalancerSourceRanges })], ENDPOINTS);
    expect(chain(rules, "KUBE-FW-WEB")).toEqual(expected);
    expect(chain(rules, "KUBE-PROXY-FIREWALL")).toHaveLength(expected.length > 0 ? 1 : 0);
  });

  it("is not there without endpoints, nor without an address of the load balancer", () => {
    const loadBalancerSourceRanges = ["198.51.100.0/24"];
    expect(rulesOf([loadBalancer({ loadBalancerSourceRanges })], NONE).join()).not.toContain("KUBE-FW");
    expect(rulesOf([nodePort({ loadBalancerSourceRanges })], ENDPOINTS).join()).not.toContain("KUBE-FW");
  });

  it("is for addresses in mode VIP alone", () => {
    const ingress = [
      { ip: "203.0.113.1", ipMode: "Proxy" },
      { ip: "203.0.113.2", ipMode: "VIP" },
      { hostname: "lb" },
      { ip: "fd00::1" },
    ];
    const rules = rulesOf([{ ...loadBalancer(), status: { loadBalancer: { ingress } } }], ENDPOINTS);
    const found = rules
      .filter((rule) => rule.includes("loadbalancer IP"))
      .map((rule) => / -d (\S+)/.exec(rule)?.[1]);
    expect(found).toEqual(["203.0.113.2"]);
  });
});

describe("KUBE-SVC and KUBE-SEP", () => {
  const four = ["192.168.96.1", "192.168.96.2", "192.168.96.3", "192.168.96.4"];

  it("gives the next of n endpoints 1/n", () => {
    const rules = chain(rulesOf([service()], [slice(four)]), "KUBE-SVC-WEB");
    const probabilities = rules.map((rule) => / --probability (\S+)/.exec(rule)?.[1]);
    expect(probabilities).toEqual([undefined, "0.2500000000", "0.3333333333", "0.5000000000", undefined]);
  });

  it.each([
    [1, 1],
    [undefined, 10800],
  ])("remembers a client for %s seconds", (timeoutSeconds, expected) => {
    const config =
      timeoutSeconds === undefined ? {} : { sessionAffinityConfig: { clientIP: { timeoutSeconds } } };
    const rules = rulesOf([service({ sessionAffinity: "ClientIP", ...config })], [slice(four.slice(0, 2))]);
    const order = chain(rules, "KUBE-SVC-WEB")
      .slice(1)
      .map((rule) => /--rcheck --seconds \d+|--probability/.exec(rule)?.[0]);
    expect(order).toEqual([
      `--rcheck --seconds ${expected}`,
      `--rcheck --seconds ${expected}`,
      "--probability",
      undefined,
    ]);
    expect(
      rules.filter((rule) => /-m recent --name (KUBE-SEP-\S+) --set -m tcp -p tcp -j DNAT/.test(rule)),
    ).toHaveLength(2);
  });

  it.each([
    [1000, true],
    [1001, false],
  ])("with %i endpoints in all comments them: %s", (count, comments) => {
    const many = Array.from(
      { length: count },
      (_, i) => `10.244.${i >> 8}.${i & 255}${i < 990 ? "" : " unready"}`,
    );
    const rules = rulesOf([service()], [slice(many)]);
    expect(backends(rules, "KUBE-SVC")).toHaveLength(comments ? 990 : 0);
    expect(
      rules.filter((rule) => /^-A KUBE-SEP-\S+ -m comment --comment default\/web -s/.test(rule)),
    ).toHaveLength(comments ? 990 : 0);
    expect(rules.filter((rule) => rule.includes("cluster IP"))).toHaveLength(2);
  });

  it("does not count the endpoints of Services that have no rules", () => {
    const many = slice(Array.from({ length: 1001 }, (_, i) => `10.244.${i >> 8}.${i & 255}`));
    const other = {
      ...many,
      metadata: { ...many.metadata, labels: { "kubernetes.io/service-name": "gone" } },
    };
    expect(
      backends(
        rulesOf(
          [service()],
          [slice(["192.168.96.2"]), { ...other, metadata: { ...other.metadata, name: "gone-1" } }],
        ),
        "KUBE-SVC",
      ),
    ).toHaveLength(1);
  });
});
