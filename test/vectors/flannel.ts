import { addLeases, startFlannel } from "../../src/cluster/flannel/flannel.ts";
import { lease } from "../../src/cluster/flannel/lease.ts";
import { vtepMacOf } from "../../src/cluster/flannel/vxlan/backend.ts";
import type { FlannelBackend } from "../../src/cluster/objects/model.ts";
import type { Network } from "../../src/linux/network.ts";
import type { Plan } from "./plan.ts";

/** flannel on every node of a plan, each knowing all the others. */
export function addFlannel(network: Network, plan: Plan): void {
  const backend = backendOf(plan);
  const vni = backend.type === "vxlan" ? backend.vni : 1;
  const leases = plan.nodes.map((node) => lease(subnetOf(node.docker), node.ip, vtepMacOf(node.name, vni)));
  plan.nodes.forEach(({ name }, i) => {
    const netns = network.netns(name);
    const own = leases[i]!;
    const flannel = startFlannel(netns, {
      network: plan.backend.network,
      backend,
      own,
      nic: netns.device(plan.wire.nic),
    });
    addLeases(flannel, own, leases);
  });
}

function backendOf({ backend: { type, port, vni } }: Plan): FlannelBackend {
  switch (type) {
    case "udp":
      return { type, port: port ?? 8285 };
    case "vxlan":
      return { type, vni: vni ?? 1, port: port ?? 8472 };
    case "host-gw":
      return { type };
  }
}

/** `192.168.96.1/24` → `192.168.96.0/24` */
const subnetOf = (docker: string): string => docker.replace(/\.\d+\//, ".0/");
