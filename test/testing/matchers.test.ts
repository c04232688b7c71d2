import { describe, expect, it } from "vitest";
import {
  buildCluster,
  type ClusterSpec,
  PLAIN_SETTINGS,
  type PodpathMatchers,
  podpathMatchers,
} from "../../src/testing/index.ts";

declare module "vitest" {
  interface Matchers<T> extends PodpathMatchers<T> {}
}

expect.extend(podpathMatchers);

const spec = (changes: Partial<ClusterSpec> = {}): ClusterSpec => ({
  nodes: 2,
  backend: "udp",
  pods: [
    { node: 0, app: "a", ready: true },
    { node: 1, app: "b", ready: true },
  ],
  services: [
    { app: "b", type: "NodePort", externalTrafficPolicy: "Local", sessionAffinity: "None", protocol: "TCP" },
  ],
  settings: PLAIN_SETTINGS,
  ...changes,
});

describe("matchers", () => {
  const built = buildCluster(spec());

  it("toReach: a pod reaches the Service", () => {
    expect(built).toReach({ from: "pod/pod1", to: "svc/svc1:80" });
  });

  it("toReach: the failure message is the trace", () => {
    expect(() => expect(built).toReach({ from: "pod/pod1", to: "svc/svc1:81" })).toThrow(
      /pod\/pod1 to svc\/svc1:81 should reach it[\s\S]*IP_INNOROUTES in ip_error/,
    );
  });

  it("toPreserveSource: the Local policy keeps the client's address on the node that has the pod", () => {
    expect(built).toPreserveSource({ from: "host/outside", to: "10.1.96.102:30001" });
  });

  it("toDropAt: on the node without one it is dropped in filter", () => {
    expect(built).toDropAt(
      { from: "host/outside", to: "10.1.96.101:30001" },
      { netns: "node1", table: "filter", reason: "NETFILTER_DROP" },
    );
  });

  it("not.toReach says which way it did", () => {
    expect(() => expect(built).not.toReach({ from: "pod/pod1", to: "svc/svc1:80" })).toThrow(
      /should not reach/,
    );
  });
});
