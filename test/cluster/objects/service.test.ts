import type { Service, ServiceSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { defaultService } from "../../../src/cluster/objects/service.ts";

const spec = (given: ServiceSpec, status?: Service["status"]) =>
  defaultService({ metadata: { name: "s" }, spec: given, ...(status === undefined ? {} : { status }) });

describe("defaultService", () => {
  it("fills in what the API server does", () => {
    expect(spec({ ports: [{ port: 80 }] }).spec).toEqual({
      type: "ClusterIP",
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
    });
  });

  const cases: [string, ServiceSpec, object][] = [
    [
      "targetPort 0 stands for port",
      { ports: [{ port: 80, targetPort: 0 }] },
      { ports: [{ targetPort: 80 }] },
    ],
    [
      "a named targetPort stays",
      { ports: [{ port: 80, targetPort: "http" }] },
      { ports: [{ targetPort: "http" }] },
    ],
    [
      "a protocol stays",
      { ports: [{ port: 53, protocol: "UDP" }] },
      { ports: [{ protocol: "UDP", targetPort: 53 }] },
    ],
    [
      "ClientIP affinity lasts three hours",
      { sessionAffinity: "ClientIP" },
      { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } },
    ],
    [
      "or as long as it says",
      { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } },
      { sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } },
    ],
    ["NodePort: Cluster policy outside", { type: "NodePort" }, { externalTrafficPolicy: "Cluster" }],
    [
      "LoadBalancer: node ports too",
      { type: "LoadBalancer" },
      { externalTrafficPolicy: "Cluster", allocateLoadBalancerNodePorts: true },
    ],
    [
      "externalIPs: Cluster policy outside",
      { externalIPs: ["1.2.3.4"] },
      { externalTrafficPolicy: "Cluster" },
    ],
    [
      "a stated policy stays",
      { type: "NodePort", externalTrafficPolicy: "Local" },
      { externalTrafficPolicy: "Local" },
    ],
    ["clusterIP from clusterIPs", { clusterIPs: ["10.0.0.1"] }, { clusterIP: "10.0.0.1" }],
  ];
  it.each(cases)("%s", (_, given, expected) => {
    expect(spec(given).spec).toMatchObject(expected);
  });

  it("leaves out what means nothing", () => {
    expect(
      spec({ sessionAffinity: "None", sessionAffinityConfig: { clientIP: {} } }).spec,
    ).not.toHaveProperty("sessionAffinityConfig");
    expect(spec({ clusterIP: "" }).spec).not.toHaveProperty("clusterIP");
    expect(spec({ type: "ExternalName" }).spec).not.toHaveProperty("internalTrafficPolicy");
    expect(spec({}).spec).not.toHaveProperty("externalTrafficPolicy");
  });

  it("says VIP of a load balancer's addresses, nothing of its names", () => {
    const ingress = [{ ip: "1.2.3.4" }, { ip: "1.2.3.5", ipMode: "Proxy" }, { hostname: "lb" }];
    const { status } = spec({ type: "LoadBalancer" }, { loadBalancer: { ingress } });
    expect(status?.loadBalancer?.ingress).toEqual([
      { ip: "1.2.3.4", ipMode: "VIP" },
      { ip: "1.2.3.5", ipMode: "Proxy" },
      { hostname: "lb" },
    ]);
  });

  it("does not change what it was given", () => {
    const given: Service = { metadata: { name: "s" }, spec: { ports: [{ port: 80 }] } };
    const before = structuredClone(given);
    defaultService(given);
    expect(given).toEqual(before);
  });
});
