import { describe, expect, it } from "vitest";
import { schedule } from "../../../src/linux/ipvs/scheduler.ts";
import { DestinationState, type SchedulerName, ServiceState } from "../../../src/linux/ipvs/service.ts";

/** A virtual server whose real servers are at 1, 2, 3 … with these weights, in the kernel's list's order. */
function server(scheduler: SchedulerName, weights: readonly number[]): ServiceState {
  const destinations = weights.map((weight, i) => ({ address: i + 1, port: 80, weight }));
  return new ServiceState(
    { protocol: 6, address: 100, port: 80, scheduler, persistentSeconds: null, destinations },
    destinations.map((one) => new DestinationState(one)),
  );
}

/** Addresses of the real servers that so many new connections of one client get. */
const chosen = (state: ServiceState, connections: number, client = 1): (number | null)[] =>
  Array.from({ length: connections }, () => schedule(state, client)?.destination.address ?? null);

describe("schedulers", () => {
  it.each<[SchedulerName, readonly number[], readonly (number | null)[]]>([
    ["rr", [1, 1, 1], [1, 2, 3, 1, 2, 3]],
    ["rr", [1, 0, 1], [1, 3, 1, 3]],
    ["rr", [], [null]],
    ["rr", [0, 0], [null]],
    ["wrr", [1, 1], [1, 2, 1, 2]],
    ["wrr", [3, 1], [1, 1, 1, 2, 1, 1, 1, 2]],
    ["wrr", [4, 2], [1, 1, 2, 1, 1, 2]],
    ["wrr", [0, 0], [null]],
    ["lc", [1, 1, 1], [1, 1]],
    ["lc", [0, 1], [2]],
    ["sh", [1, 1, 1], [2, 2, 2]],
    ["sh", [0], [null]],
  ])("%s with weights %j gives %j", (scheduler, weights, expected) => {
    expect(chosen(server(scheduler, weights), expected.length)).toEqual(expected);
  });

  it("lc counts an established connection 256 times", () => {
    const state = server("lc", [1, 1]);
    state.destinations[0]!.active = 1;
    state.destinations[1]!.inactive = 255;
    expect(chosen(state, 1)).toEqual([2]);
    state.destinations[1]!.inactive = 257;
    expect(chosen(state, 1)).toEqual([1]);
  });

  it("sh spreads clients, and gives one client the same server always", () => {
    const state = server("sh", [1, 1, 1]);
    const clients = Array.from({ length: 300 }, (_, i) => 0x0af40100 + i);
    const servers = clients.map((client) => chosen(state, 1, client)[0]);
    expect(new Set(servers)).toEqual(new Set([1, 2, 3]));
    expect(clients.map((client) => chosen(state, 1, client)[0])).toEqual(servers);
  });
});
