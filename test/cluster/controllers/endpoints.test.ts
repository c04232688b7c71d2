import type { Pod, PodStatus } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { deriveEndpointSlices } from "../../../src/cluster/controllers/endpoints.ts";
import { node, pod, service, storeOf } from "./objects.ts";

const labels = { app: "web" };
const web = service("web", { selector: labels });
const running = (
  name: string,
  podIP: string,
  status: Partial<PodStatus> = {},
  more: Pod["metadata"] = {},
): Pod =>
  pod(
    name,
    { nodeName: "a" },
    {
      metadata: { name, namespace: "default", labels, ...more },
      status: { phase: "Running", podIP, ...status },
    },
  );
const notReady = { conditions: [{ type: "Ready", status: "False" }] };

describe("deriveEndpointSlices", () => {
  it("says of each pod its address, node, zone and conditions", () => {
    const nodes = [node("a", { metadata: { labels: { "topology.kubernetes.io/zone": "zone-a" } } })];
    const [slice, ...rest] = deriveEndpointSlices(
      storeOf({ nodes, services: [web], pods: [running("p", "10.0.0.1")] }),
    );
    expect(rest).toEqual([]);
    expect(slice).toMatchObject({
      addressType: "IPv4",
      metadata: { namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
      ports: [{ name: "", port: 80, protocol: "TCP" }],
      endpoints: [
        {
          addresses: ["10.0.0.1"],
          nodeName: "a",
          zone: "zone-a",
          conditions: { ready: true, serving: true, terminating: false },
          targetRef: { kind: "Pod", namespace: "default", name: "p" },
        },
      ],
    });
  });

  const deleted = { deletionTimestamp: "2017-11-06T12:00:00Z" };
  it.each([
    ["ready", {}, {}, false, [true, true, false]],
    ["not ready", notReady, {}, false, [false, false, false]],
    ["terminating, still serving", {}, deleted, false, [false, true, true]],
    ["terminating, not serving", notReady, deleted, false, [false, false, true]],
    ["not ready, published all the same", notReady, {}, true, [true, false, false]],
  ])("%s", (_, status, metadata, publishNotReadyAddresses, [ready, serving, terminating]) => {
    const services = [service("web", { selector: labels, publishNotReadyAddresses })];
    const [slice] = deriveEndpointSlices(
      storeOf({ services, pods: [running("p", "10.0.0.1", status, metadata)] }),
    );
    expect(slice?.endpoints?.[0]?.conditions).toEqual({ ready, serving, terminating });
  });

  it("leaves out pods that have ended, have no address yet, or live elsewhere", () => {
    const pods = [
      running("ended", "10.0.0.1", { phase: "Succeeded" }),
      pod("new", {}, { metadata: { labels } }),
      running("elsewhere", "10.0.0.2", {}, { namespace: "other" }),
      running("other", "10.0.0.3", {}, { labels: { app: "db" } }),
    ];
    const [slice, ...rest] = deriveEndpointSlices(storeOf({ services: [web], pods }));
    expect(slice?.endpoints).toEqual([]);
    expect(rest).toEqual([]);
  });

  it("resolves a named target port in each pod, and puts pods of different numbers into different slices", () => {
    const withPort = (
      name: string,
      podIP: string,
      containerPort: number,
      protocol: "TCP" | "UDP" = "TCP",
    ): Pod => {
      const one = running(name, podIP);
      return {
        ...one,
        spec: { containers: [{ name: "c", ports: [{ name: "http", containerPort, protocol }] }] },
      };
    };
    const services = [
      service("web", { selector: labels, ports: [{ name: "x", port: 80, targetPort: "http" }] }),
    ];
    const pods = [
      withPort("a", "10.0.0.1", 80),
      withPort("b", "10.0.0.2", 8080),
      withPort("c", "10.0.0.3", 80),
      withPort("d", "10.0.0.4", 80, "UDP"),
    ];
    const slices = deriveEndpointSlices(storeOf({ services, pods }));
    expect(
      slices.map(({ ports, endpoints }) => [
        ports?.map(({ port }) => port),
        endpoints?.flatMap(({ addresses }) => addresses),
      ]),
    ).toEqual([
      [[80], ["10.0.0.1", "10.0.0.3"]],
      [[8080], ["10.0.0.2"]],
      [[], ["10.0.0.4"]],
    ]);
    expect(new Set(slices.map(({ metadata }) => metadata?.name)).size).toBe(3);
  });

  it("fills slices with a hundred endpoints", () => {
    const pods = Array.from({ length: 250 }, (_, i) => running(`p${i}`, `10.0.${i >> 8}.${i & 255}`));
    const slices = deriveEndpointSlices(storeOf({ services: [web], pods }));
    expect(slices.map(({ endpoints }) => endpoints?.length)).toEqual([100, 100, 50]);
  });

  it("hints ready endpoints for their own zone where traffic shall stay close", () => {
    const nodes = [node("a", { metadata: { labels: { "topology.kubernetes.io/zone": "zone-a" } } })];
    const services = [service("web", { selector: labels, trafficDistribution: "PreferClose" } as object)];
    const pods = [running("p", "10.0.0.1"), running("q", "10.0.0.2", notReady)];
    const [slice] = deriveEndpointSlices(storeOf({ nodes, services, pods }));
    expect(slice?.endpoints?.map(({ hints }) => hints)).toEqual([
      { forZones: [{ name: "zone-a" }] },
      undefined,
    ]);
  });

  it("marks the slices of a headless Service", () => {
    const services = [service("web", { selector: labels, clusterIP: "None" })];
    const [slice] = deriveEndpointSlices(storeOf({ services }));
    expect(slice?.metadata?.labels).toHaveProperty(["service.kubernetes.io/headless"], "");
  });

  it("mirrors an Endpoints object instead of the selector", () => {
    const endpoints = [
      {
        kind: "Endpoints" as const,
        metadata: { name: "web", namespace: "default" },
        subsets: [
          {
            addresses: [{ ip: "10.9.0.1", nodeName: "a" }],
            notReadyAddresses: [{ ip: "10.9.0.2" }],
            ports: [
              { name: "x", port: 8080 },
              { name: "y", port: 53, protocol: "UDP" as const },
            ],
          },
        ],
      },
    ];
    const [slice, ...rest] = deriveEndpointSlices(
      storeOf({ services: [web], endpoints, pods: [running("p", "10.0.0.1")] }),
    );
    expect(rest).toEqual([]);
    expect(slice?.endpoints).toEqual([
      { addresses: ["10.9.0.1"], conditions: { ready: true }, nodeName: "a" },
      { addresses: ["10.9.0.2"], conditions: { ready: false } },
    ]);
    expect(slice?.ports).toEqual([
      { name: "x", port: 8080, protocol: "TCP" },
      { name: "y", port: 53, protocol: "UDP" },
    ]);
  });

  it("leaves a Service alone that has slices", () => {
    const slice = {
      kind: "EndpointSlice" as const,
      metadata: { name: "web-1", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4" as const,
      endpoints: [],
    };
    expect(
      deriveEndpointSlices(
        storeOf({ services: [web], endpointSlices: [slice], pods: [running("p", "10.0.0.1")] }),
      ),
    ).toEqual([]);
  });

  it.each([
    ["a Service without a selector", service("web")],
    [
      "a name for something outside",
      service("web", { type: "ExternalName", externalName: "example.org", selector: labels }),
    ],
  ])("gives %s none", (_, one) => {
    expect(deriveEndpointSlices(storeOf({ services: [one], pods: [running("p", "10.0.0.1")] }))).toEqual([]);
  });
});
