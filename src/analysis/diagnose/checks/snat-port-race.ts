import { toNumber } from "../../../cluster/objects/address.ts";
import type { ClusterModel, NodeModel, PodModel } from "../../../cluster/objects/model.ts";
import type { Skb } from "../../../linux/skb.ts";
import { send } from "../../../trace/send.ts";
import { addressesOf, type flowToHost, podRef, sandboxPods } from "../cast.ts";
import type { Check, Observation } from "../check.ts";
import { editNode, withRules } from "../edit.ts";
import { eventsOf, flowText, freshNetworkOf, observation, outcomeText } from "../try-flow.ts";

/** Linux' own range of local ports. */
const DEFAULT_RANGE = { first: 32768, last: 60999 };
/**
 * Two pods that connect at one moment must have taken the same port for a race: with Linux' range that is one pair in
 * 28,232, and only a load of thousands a second makes it a fault. From this share on it is one for anybody.
 */
const WORTH_TELLING = 1 / 1000;

/** Two connections are given the same masqueraded port, because neither is in the table yet when the other is made. */
export const snatPortRace: Check = {
  id: "snat-port-race",
  severity: "error",
  symptom:
    "under load some connections take 1 s or 3 s longer (a lost SYN), DNS look-ups 5 s; insert_failed counts up in conntrack -S",
  *suspects(model) {
    for (const node of model.nodes) {
      const [a, b] = sandboxPods(model, node);
      if (a === undefined || b === undefined) continue;
      const share = shareOfClashes(a, b);
      const host = model.hosts.find(({ listen }) => listen.some(({ protocol }) => protocol === "TCP"));
      if (share < WORTH_TELLING || host === undefined) continue;
      yield {
        subject: { kind: "Node", name: node.name, setting: ["docker", "ipMasq"] },
        message: `${node.name} masquerades without --random-fully and its pods share few local ports: 1 in ${Math.round(1 / share)} pairs of simultaneous connections from two pods to one address collide`,
        mend: `iptables -t nat -I POSTROUTING -s ${node.podCIDR} ! -d ${model.flannel.network} -j MASQUERADE --random-fully    # on ${node.name}`,
        observe: (current) => race(current, node, a, b, addressesOf(host)[0]!, host.listen),
        mended: (current) =>
          editNode(
            current,
            node.name,
            withRules(
              "nat",
              `-I POSTROUTING -s ${node.podCIDR} ! -d ${model.flannel.network} -j MASQUERADE --random-fully`,
            ),
          ),
      };
    }
  },
};

const rangeOf = ({ localPortRange }: PodModel) => localPortRange ?? DEFAULT_RANGE;

/** Probability that two ports, each drawn from its pod's range, are equal. */
function shareOfClashes(a: PodModel, b: PodModel): number {
  const [one, other] = [rangeOf(a), rangeOf(b)];
  const common = Math.min(one.last, other.last) - Math.max(one.first, other.first) + 1;
  return Math.max(0, common) / ((one.last - one.first + 1) * (other.last - other.first + 1));
}

/**
 * Two CPUs at one moment: `b`'s SYN waits in its CPU's queue until the node has chosen `a`'s translated port, and goes
 * all its way before `a`'s connection is confirmed.
 *
 *   CPU 0   a: nat POSTROUTING (port chosen) ················ confirm: taken, insert_failed
 *   CPU 1                                    b: … nat, confirm
 */
function race(
  model: ClusterModel,
  node: NodeModel,
  a: PodModel,
  b: PodModel,
  address: string,
  listening: Parameters<typeof flowToHost>[1]["listen"],
): Observation | null {
  const cluster = freshNetworkOf(model);
  const { network } = cluster;
  const port = listening.find(({ protocol }) => protocol === "TCP")!.port;
  const sourcePort = Math.max(rangeOf(a).first, rangeOf(b).first);
  for (const pod of [a, b]) send(cluster, { from: podRef(pod), to: address, protocol: "icmp" });
  const veth = cluster.pod(b.namespace, b.name)?.sandbox?.veth;
  const sender = cluster.pod(b.namespace, b.name)?.netns;
  if (veth === undefined || sender === undefined) return null;
  const poll = veth.poll.bind(veth);
  const waiting: Skb[] = [];
  veth.poll = (skb) => void waiting.push(skb);
  sender.sockets.tcp.connect({ destination: toNumber(address), destinationPort: port, sourcePort });
  network.run();
  veth.poll = poll;
  network.recorder = {
    record(event) {
      if (event.type !== "nat" || event.manip !== "source" || event.netns !== node.name) return;
      for (const skb of waiting.splice(0)) poll(skb);
    },
  };
  const trace = send(cluster, { from: podRef(a), to: `${address}:${port}`, protocol: "tcp", sourcePort });
  network.recorder = null;
  const failed = eventsOf(trace, "conntrack").some(({ action }) => action === "insert-failed");
  return observation(trace, failed, {
    flow: `${flowText(trace.request)} from port ${sourcePort}, while ${podRef(b)} does the same on another CPU`,
    outcome: failed
      ? `${outcomeText(trace)}: insert_failed, the other flow has the translated port`
      : outcomeText(trace),
  });
}
