import {
  blockAround,
  blockText,
  overlap,
  toBlock,
  toNumber,
  toText,
} from "../../../cluster/objects/address.ts";
import type { ClusterModel, NodeModel } from "../../../cluster/objects/model.ts";
import type { TraceRequest } from "../../../trace/request.ts";
import { flowToHost, flowToPod, podRef, sandboxPods } from "../cast.ts";
import type { Check } from "../check.ts";
import { editNode, editSlices } from "../edit.ts";
import { observation, tryFlow, works } from "../try-flow.ts";

/** Two owners of one prefix: two nodes have a pod subnet, or docker0 lies in the nodes' own network. */
export const subnetClash: Check = {
  id: "subnet-clash",
  severity: "error",
  symptom: "packets between two nodes' pods end at the wrong one or nowhere",
  *suspects(model) {
    for (const node of model.nodes) {
      const other = model.nodes.find(
        (one) => one.name < node.name && overlap(toBlock(one.podCIDR), toBlock(node.podCIDR)),
      );
      const lan = model.segments.find(
        ({ name, subnet }) => name === node.nic.segment && overlap(toBlock(subnet), toBlock(node.podCIDR)),
      );
      if (other === undefined && lan === undefined) continue;
      const owner =
        other === undefined ? `segment ${lan!.name}, ${lan!.subnet}` : `${other.name}, ${other.podCIDR}`;
      for (const request of flows(model, node, other))
        yield {
          subject: { kind: "Node", name: node.name, setting: ["podCIDR"] },
          message: `the pod subnet of ${node.name}, ${node.podCIDR}, is that of ${owner} too`,
          mend: `etcdctl rm /coreos.com/network/subnets/${node.podCIDR.replace("/", "-")}    # then restart flanneld and docker on ${node.name}: a new lease`,
          observe(current) {
            const trace = tryFlow(current, request);
            return observation(trace, !works(trace));
          },
          mended: (current) => moveSubnet(current, node),
        };
    }
  },
};

function* flows(model: ClusterModel, node: NodeModel, other: NodeModel | undefined): Generator<TraceRequest> {
  const [here] = sandboxPods(model, node);
  if (other === undefined) {
    const inside = (address: string) => overlap(toBlock(`${address}/32`), toBlock(node.podCIDR));
    for (const one of model.nodes)
      if (one !== node && inside(one.internalIP))
        yield { from: `node/${node.name}`, to: `node/${one.name}`, protocol: "icmp" };
    for (const host of model.hosts)
      if (host.nics.some(({ addresses }) => addresses.some((text) => inside(text.split("/")[0]!))))
        yield flowToHost(`node/${node.name}`, host);
    return;
  }
  const [there] = sandboxPods(model, other);
  if (here !== undefined && there !== undefined) {
    yield flowToPod(podRef(here), there);
    yield flowToPod(podRef(there), here);
  }
  for (const third of model.nodes)
    if (third !== node && third !== other && here !== undefined && there !== undefined)
      for (const to of [here, there]) yield flowToPod(`node/${third.name}`, to);
}

/** The node gets a subnet of its own, and its pods addresses in it. Null when flannel's network is full. */
function moveSubnet(model: ClusterModel, { name, podCIDR }: NodeModel): ClusterModel | null {
  const old = toBlock(podCIDR);
  const network = toBlock(model.flannel.network);
  const taken = [...model.nodes.map((one) => one.podCIDR), ...model.segments.map(({ subnet }) => subnet)].map(
    toBlock,
  );
  for (let base = network.base + old.size; base < network.base + network.size; base += old.size) {
    const block = blockAround(base, old.length);
    if (taken.some((one) => overlap(one, block))) continue;
    const shift = (address: string) => toText(toNumber(address) - old.base + block.base);
    const moved = editNode(model, name, (node) => ({
      ...node,
      podCIDR: blockText(block),
      docker: { ...node.docker, address: `${toText(block.base + 1)}/${block.length}` },
    }));
    const pods = moved.pods.map((pod) =>
      pod.nodeName === name && !pod.hostNetwork ? { ...pod, ip: shift(pod.ip) } : pod,
    );
    return editSlices({ ...moved, pods }, (slice) => ({
      ...slice,
      endpoints: slice.endpoints.map((endpoint) =>
        endpoint.nodeName === name ? { ...endpoint, addresses: endpoint.addresses.map(shift) } : endpoint,
      ),
    }));
  }
  return null;
}
