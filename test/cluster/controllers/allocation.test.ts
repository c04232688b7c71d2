import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allocateClusterIPs } from "../../../src/cluster/controllers/cluster-ip.ts";
import { NumberRange } from "../../../src/cluster/controllers/free-number.ts";
import { allocateNodePorts } from "../../../src/cluster/controllers/node-port.ts";
import { subnetLeases } from "../../../src/cluster/controllers/subnet-lease.ts";
import { blockText, toBlock, toNumber } from "../../../src/cluster/objects/address.ts";
import { service } from "./objects.ts";

const silent = () => {};

describe("ClusterIPs", () => {
  const allocate = (cidr: string, services: ReturnType<typeof service>[], podBlocks: string[] = []) =>
    allocateClusterIPs(
      services,
      { block: toBlock(cidr), stated: true, podBlocks: podBlocks.map(toBlock) },
      silent,
    ).map(({ spec }) => spec?.clusterIP);

  it.each([
    ["10.96.0.0/12", "10.96.1.1"],
    ["10.0.0.0/24", "10.0.0.17"],
    ["10.0.0.0/28", "10.0.0.1"],
  ])("of %s start above the band for chosen addresses, at %s", (cidr, first) => {
    expect(allocate(cidr, [service("a")])).toEqual([first]);
  });

  it("keep what is stated, skip what is taken, give none to headless and ExternalName Services", () => {
    const services = [
      service("a"),
      service("b", { clusterIP: "10.0.0.17" }),
      service("c", { clusterIP: "None" }),
      service("d", { type: "ExternalName" }),
      service("e", { clusterIPs: ["10.0.0.99"] }),
      service("kubernetes"),
    ];
    expect(allocate("10.0.0.0/24", services)).toEqual([
      "10.0.0.18",
      "10.0.0.17",
      "None",
      undefined,
      "10.0.0.99",
      "10.0.0.1",
    ]);
  });

  it("stay out of the nodes' pod subnets", () => {
    const services = ["a", "b", "c"].map((name) => service(name));
    expect(allocate("192.168.0.0/17", services, ["192.168.1.2/31", "192.168.1.4/30"])).toEqual([
      "192.168.1.1",
      "192.168.1.8",
      "192.168.1.9",
    ]);
  });

  it("come from the band at last, and then run out", () => {
    const faults: string[] = [];
    const services = Array.from({ length: 31 }, (_, i) => service(`s${i}`));
    const range = { block: toBlock("10.0.0.0/27"), stated: true, podBlocks: [] };
    const ips = allocateClusterIPs(services, range, (_, __, text) => faults.push(text)).map(
      ({ spec }) => spec?.clusterIP,
    );
    expect(ips.slice(0, 2)).toEqual(["10.0.0.17", "10.0.0.18"]);
    expect(new Set(ips.slice(0, 30)).size).toBe(30);
    expect(ips[30]).toBeUndefined();
    expect(faults).toEqual(["no address is left in the serviceCIDR 10.0.0.0/27"]);
  });
});

describe("node ports", () => {
  const allocate = (...services: ReturnType<typeof service>[]) =>
    allocateNodePorts(services, silent).map(({ spec }) => [
      ...(spec?.ports ?? []).map(({ nodePort }) => nodePort),
      ...(spec?.healthCheckNodePort === undefined ? [] : [`health ${spec.healthCheckNodePort}`]),
    ]);

  it("start at 30086, above the band for chosen ports, and skip what is taken", () => {
    const chosen = service("c", { type: "NodePort", ports: [{ port: 80, nodePort: 30087 }] });
    expect(
      allocate(service("a", { type: "NodePort" }), service("b", { type: "LoadBalancer" }), chosen),
    ).toEqual([[30086], [30088], [30087]]);
  });

  it("are for NodePort and LoadBalancer Services, unless the latter want none", () => {
    expect(
      allocate(service("a"), service("b", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false })),
    ).toEqual([[undefined], [undefined]]);
  });

  it("are shared by one port number under two protocols", () => {
    const ports = [
      { name: "u", port: 53, protocol: "UDP" as const },
      { name: "t", port: 53, nodePort: 30053 },
      { name: "s", port: 54 },
      { name: "v", port: 54, protocol: "UDP" as const },
    ];
    expect(allocate(service("a", { type: "NodePort", ports }))).toEqual([[30053, 30053, 30086, 30086]]);
  });

  it("include the health check of a load balancer with Local policy", () => {
    const local = { type: "LoadBalancer" as const, externalTrafficPolicy: "Local" as const };
    expect(allocate(service("a", local), service("b", { ...local, healthCheckNodePort: 30500 }))).toEqual([
      [30086, "health 30087"],
      [30088, "health 30500"],
    ]);
    expect(allocate(service("has-been-to-the-api-server", { ...local, clusterIP: "10.96.0.7" }))).toEqual([
      [30086],
    ]);
  });
});

describe("subnet leases", () => {
  const leases = (taken: string[], count: number) =>
    subnetLeases(taken.map(toBlock), { min: toNumber("10.0.1.0"), max: toNumber("10.0.3.0") }, 24, count).map(
      (block) => block && blockText(block),
    );
  it.each([
    [[], 2, ["10.0.1.0/24", "10.0.2.0/24"]],
    [["10.0.1.128/25"], 1, ["10.0.2.0/24"]],
    [["10.0.0.0/23"], 1, ["10.0.2.0/24"]],
    [["10.0.2.0/24"], 3, ["10.0.1.0/24", "10.0.3.0/24", null]],
  ])("beside %j, %i more: %j", (taken, count, expected) => {
    expect(leases(taken, count)).toEqual(expected);
  });
});

describe("NumberRange", () => {
  it("hands out every free number once, none of a gap, none that is taken", () => {
    const bounds = fc.integer({ min: 0, max: 40 });
    const gaps = fc.array(
      fc.tuple(bounds, bounds).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) })),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(fc.array(bounds), gaps, bounds, (taken, avoided, start) => {
        const range = new NumberRange(0, 40, start, avoided);
        for (const number of taken) range.take(number);
        const got: number[] = [];
        for (let number = range.takeNext(); number !== null; number = range.takeNext()) got.push(number);
        const isFree = (n: number) =>
          !taken.includes(n) && !avoided.some(({ first, last }) => n >= first && n <= last);
        const free = Array.from({ length: 41 }, (_, i) => i).filter(isFree);
        expect(got).toEqual([...free.filter((n) => n >= start), ...free.filter((n) => n < start)]);
      }),
      { numRuns: 300 },
    );
  });
});
