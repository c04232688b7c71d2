import { describe, expect, it } from "vitest";
import { Network } from "../../src/linux/network.ts";

/** net.ipv4.ip_local_port_range as the kernel has it, which a tunnel's source ports are of. */
const [LOW, HIGH] = [32768, 60999];

describe("a network", () => {
  it("draws hashes for ten thousand connections, no two of which make one tunnel's source port", () => {
    const network = new Network();
    const ports = new Set<number>();
    for (let i = 0; i < 10_000; i++)
      ports.add(LOW + Math.floor((network.drawTxHash() / 0x100000000) * (HIGH - LOW)));
    expect(ports.size).toBe(10_000);
  });

  it("draws the same again after a rollback", () => {
    const network = new Network();
    network.checkpoint();
    const first = network.drawTxHash();
    network.rollback();
    expect(network.drawTxHash()).toBe(first);
  });

  it("has one namespace of a name", () => {
    const network = new Network();
    network.addNetns("node1");
    expect(() => network.addNetns("node1")).toThrow("namespace node1 exists");
  });
});
