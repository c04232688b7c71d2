import { describe, expect, it } from "vitest";
import { backends, endpoint, loadBalancer, nodePort, rulesOf, service, slice } from "./cluster.ts";

const at = (...ips: string[]) => ips.map((ip) => `${ip}:8080`);

describe("which entries of EndpointSlices are endpoints", () => {
  const named = {
    metadata: { name: "web-2", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
  };
  it.each([
    ["in text order", [slice(["192.168.96.2", "192.168.96.10"])], at("192.168.96.10", "192.168.96.2")],
    [
      "of all slices",
      [slice(["192.168.96.2"]), slice(["192.168.96.3"], named)],
      at("192.168.96.2", "192.168.96.3"),
    ],
    ["each once", [slice(["192.168.96.2"]), slice(["192.168.96.2"], named)], at("192.168.96.2")],
    ["the last slice of a name", [slice(["192.168.96.2"]), slice(["192.168.96.3"])], at("192.168.96.3")],
    ["the first address", [slice([{ addresses: ["192.168.96.2", "192.168.96.3"] }])], at("192.168.96.2")],
    ["ready where nothing is said", [slice([{ addresses: ["192.168.96.2"] }])], at("192.168.96.2")],
    ["no entry without address", [slice([{ addresses: [] }])], []],
    ["no IPv6 slice", [slice(["192.168.96.2"], { addressType: "IPv6" })], []],
    ["no FQDN slice", [slice(["192.168.96.2"], { addressType: "FQDN" })], []],
    [
      "no other protocol",
      [slice(["192.168.96.2"], { ports: [{ name: "", port: 8080, protocol: "UDP" }] })],
      [],
    ],
    ["no other port name", [slice(["192.168.96.2"], { ports: [{ name: "http", port: 8080 }] })], []],
    ["no port without name", [slice(["192.168.96.2"], { ports: [{ port: 8080 }] })], []],
    ["no port without number", [slice(["192.168.96.2"], { ports: [{ name: "" }] })], []],
    [
      "TCP where nothing is said",
      [slice(["192.168.96.2"], { ports: [{ name: "", port: 8080 }] })],
      at("192.168.96.2"),
    ],
    [
      "no slice without Service",
      [slice(["192.168.96.2"], { metadata: { name: "x", namespace: "default" } })],
      [],
    ],
    ["decimal whatever the zeros", [slice(["192.168.096.002"])], at("192.168.96.2")],
  ])("%s", (_, slices, expected) => {
    expect(backends(rulesOf([service()], slices), "KUBE-SVC")).toEqual(expected);
  });

  it.each(["service.kubernetes.io/headless", "service.kubernetes.io/service-proxy-name"])(
    "no slice labelled %s",
    (label) => {
      const labels = { "kubernetes.io/service-name": "web", [label]: "" };
      const rules = rulesOf(
        [service()],
        [slice(["192.168.96.2"], { metadata: { name: "a", namespace: "default", labels } })],
      );
      expect(backends(rules, "KUBE-SVC")).toEqual([]);
    },
  );

  it("takes the local one of entries with one address and port", () => {
    const local = { ...named, endpoints: [endpoint("192.168.96.2 local")] };
    const slices = [slice(["192.168.96.2"]), slice([], local)];
    const itp = service({ internalTrafficPolicy: "Local" });
    expect(backends(rulesOf([itp], slices), "KUBE-SVL")).toEqual(at("192.168.96.2"));
    expect(backends(rulesOf([itp], slices, {}, { name: "node2" }), "KUBE-SVL")).toEqual(at("192.168.96.2"));
    expect(backends(rulesOf([itp], slices, {}, { name: "node3" }), "KUBE-SVL")).toEqual([]);
  });
});

describe("which endpoints a policy uses", () => {
  const local = "192.168.97.3 local";
  const remote = "192.168.96.4";
  it.each([
    ["ready ones", [local, remote], ["192.168.96.4", "192.168.97.3"], ["192.168.97.3"]],
    ["ready before terminating", [`${local} terminating`, remote], ["192.168.96.4"], ["192.168.97.3"]],
    [
      "terminating when none is ready",
      [`${local} terminating`, `${remote} terminating`],
      ["192.168.96.4", "192.168.97.3"],
      ["192.168.97.3"],
    ],
    ["nothing that serves no more", [`${local} terminating unserving`, remote], ["192.168.96.4"], []],
    ["nothing unready", [`${local} unready`, `${remote} unready`], [], []],
    [
      "zone hints for Cluster alone",
      [`${local} zone=zone-b`, `${remote} zone=zone-a`],
      ["192.168.96.4"],
      ["192.168.97.3"],
    ],
    [
      "no hints when one lacks",
      [local, `${remote} zone=zone-a`],
      ["192.168.96.4", "192.168.97.3"],
      ["192.168.97.3"],
    ],
    [
      "no hints when none names the zone",
      [`${local} zone=zone-c`, `${remote} zone=zone-b`],
      ["192.168.96.4", "192.168.97.3"],
      ["192.168.97.3"],
    ],
    [
      "hints whatever unready ones lack",
      [`${local} unready`, `${remote} zone=zone-a`, "192.168.96.5 zone=zone-b"],
      ["192.168.96.4"],
      [],
    ],
  ])("%s", (_, endpoints, cluster, localOnes) => {
    const rules = rulesOf([nodePort({ externalTrafficPolicy: "Local" })], [slice(endpoints)]);
    expect(backends(rules, "KUBE-SVC")).toEqual(at(...cluster));
    expect(backends(rules, "KUBE-SVL")).toEqual(at(...localOnes));
    const reachable = new Set([...cluster, ...localOnes]);
    const dnat = rules.filter((rule) => rule.includes("-j DNAT")).map((rule) => rule.split(" ").at(-1));
    expect(dnat).toEqual(at(...[...reachable].sort()));
  });

  it("uses no hints on a node without zone", () => {
    const slices = [slice(["192.168.96.4 zone=zone-a", "192.168.96.5 zone=zone-b"])];
    expect(backends(rulesOf([service()], slices, {}, { labels: {} }), "KUBE-SVC")).toHaveLength(2);
    expect(backends(rulesOf([service()], slices), "KUBE-SVC")).toHaveLength(1);
  });

  it("has no KUBE-SVL for policy Local of a port that nothing outside leads to", () => {
    const rules = rulesOf(
      [loadBalancer({ externalTrafficPolicy: "Local", ports: [{ port: 80 }] })],
      [slice([local])],
    );
    expect(rules.some((rule) => rule.startsWith(":KUBE-SVL-"))).toBe(true);
    const bare = { ...loadBalancer({ externalTrafficPolicy: "Local", ports: [{ port: 80 }] }), status: {} };
    expect(rulesOf([bare], [slice([local])]).some((rule) => rule.startsWith(":KUBE-SVL-"))).toBe(false);
  });
});
