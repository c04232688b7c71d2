import { describe, expect, it } from "vitest";
import { buildNetwork } from "../../src/cluster/build/network.ts";
import { labPlan } from "../../src/lab/plan.ts";
import { clusterModel } from "../kernel/cluster.ts";

const planOf = (backend: "udp" | "vxlan" | "host-gw") =>
  labPlan(buildNetwork(clusterModel(backend)), "lab", "legacy");

const netns = (backend: "udp" | "vxlan" | "host-gw", name: string) =>
  planOf(backend).namespaces.find((one) => one.name === name)!;

describe("a cluster as commands", () => {
  it("has a namespace for every simulated one and for the segment", () => {
    expect(planOf("udp").namespaces.map(({ real }) => real)).toEqual([
      "pp-lab_@lan",
      "pp-lab_client",
      "pp-lab_gw",
      "pp-lab_n1",
      "pp-lab_n2",
      "pp-lab_n1_default_a",
      "pp-lab_n2_default_b",
      "pp-lab_n2_default_c",
    ]);
  });

  it("wires a pod to docker0", () => {
    const { wires, links } = netns("udp", "n1");
    expect(wires).toHaveLength(1);
    expect(wires[0]).toMatch(
      /^link add name veth\S+ address \S+ mtu 1500 type veth peer name eth0 address 02:42:c0:a8:61:02 mtu 1500 netns pp-lab_n1_default_a$/,
    );
    expect(links[0]).toMatch(/^link set veth\S+ master docker0$/);
  });

  it("leaves to the kernel the routes that come with addresses", () => {
    expect(netns("udp", "n1").config.filter((line) => line.startsWith("route"))).toEqual([
      "route append unicast 0.0.0.0/0 via 10.1.96.1 dev ens33 table 254",
    ]);
  });

  it("gives udp's proxy the leases of the others", () => {
    expect(netns("udp", "n1").tuns).toEqual([
      {
        name: "flannel0",
        mtu: 1472,
        tunAddress: "192.168.97.0",
        address: "10.1.96.232",
        port: 8285,
        leases: [["192.168.96.0", 24, "10.1.96.233"]],
      },
    ]);
  });

  it("sets vxlan up with neighbours and forwarding entries", () => {
    const { machine, fdb, config } = netns("vxlan", "n1");
    expect(machine.at(-1)).toMatch(
      /^link add name flannel\.1 address \S+ mtu 1450 type vxlan id 1 local 10\.1\.96\.232 dev ens33 dstport 8472 nolearning$/,
    );
    expect(fdb[0]).toMatch(/^fdb replace \S+ dev flannel\.1 dst 10\.1\.96\.233$/);
    expect(config).toContain(
      "route append unicast 192.168.96.0/24 via 192.168.96.0 dev flannel.1 onlink table 254",
    );
    expect(config.some((line) => /^neigh replace 192\.168\.96\.0 lladdr \S+ nud permanent/.test(line))).toBe(
      true,
    );
  });

  it("routes host-gw by the NIC", () => {
    expect(netns("host-gw", "n1").config).toContain(
      "route append unicast 192.168.96.0/24 via 10.1.96.233 dev ens33 table 254",
    );
  });

  it("hands every node the very rules of the simulation", () => {
    const cluster = buildNetwork(clusterModel("udp"));
    const plan = labPlan(cluster, "lab", "nft");
    for (const name of ["n1", "n2"])
      expect(plan.namespaces.find((one) => one.name === name)!.rules).toBe(
        cluster.network.netns(name).netfilter.save(),
      );
    expect(plan.iptables).toBe("iptables-nft");
  });
});
