import type { SimulatedCluster } from "../../../cluster/build/cluster.ts";
import type { ClusterModel } from "../../../cluster/objects/model.ts";
import { ipLocalOut } from "../../../linux/ip/output.ts";
import { ipRouteOutput } from "../../../linux/ip/route-output.ts";
import type { Netns } from "../../../linux/netns.ts";
import type { NetworkEvent } from "../../../linux/recorder.ts";
import { Skb } from "../../../linux/skb.ts";
import { formatIpv4 } from "../../../packet/address.ts";
import { type Packet, TCP_ACK, TCP_PSH, TCP_SYN, TCPOPTS_ESTABLISHED } from "../../../packet/packet.ts";
import { send } from "../../../trace/send.ts";
import { podRef, sandboxPods } from "../cast.ts";
import type { Check, Observation } from "../check.ts";
import { editNodes, withSysctl } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { flowText, freshNetworkOf, observation, outcomeText } from "../try-flow.ts";

const LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal";
/** Far outside any window. */
const LEAP = 0x4000_0000;
const STRAY_BYTES = 1000;

/** A segment outside the window is INVALID, so it is not translated back, and the client resets what it does not know. */
export const conntrackInvalidRst: Check = {
  id: "conntrack-invalid-rst",
  severity: "error",
  symptom: "long downloads through a Service are reset at random",
  *suspects(model) {
    // kube-proxy has dropped INVALID packets in KUBE-FORWARD since 1.15
    if (model.kubeProxy.version !== "1.7") return;
    for (const { ref, protocol, endpoints } of serviceTargets(model))
      for (const [k, { pod }] of endpoints.entries()) {
        const caller = sandboxPods(model).find(({ nodeName }) => nodeName !== pod?.nodeName);
        if (protocol !== "tcp" || pod === null || caller === undefined) continue;
        yield {
          subject: { kind: "Cluster", path: ["spec", "kubeProxy", "version"] },
          message: `kube-proxy ${model.kubeProxy.version} lets INVALID packets pass: an endpoint's stray segment reaches the client of a Service from the pod's own address`,
          mend: `sysctl -w ${LIBERAL}=1    # on every node; or iptables -I FORWARD -m conntrack --ctstate INVALID -j DROP, as kube-proxy does since 1.15`,
          observe: (current) => strayDatum(current, podRef(caller), ref, k),
          mended: (current) => editNodes(current, withSysctl({ [LIBERAL]: 1 })),
        };
      }
  },
};

/** A connection is made; then the server sends one segment with a sequence number far ahead. */
function strayDatum(model: ClusterModel, from: string, to: string, k: number): Observation | null {
  const cluster = freshNetworkOf(model, k);
  const { network } = cluster;
  const opening = record(cluster, () => send(cluster, { from, to, protocol: "tcp" }));
  const trace = opening.result;
  const server = trace.delivered === null ? undefined : network.namespaces.get(trace.delivered.netns);
  const answer = opening.events.find(
    (event) =>
      event.type === "origin" &&
      event.netns === server?.name &&
      event.packet.tcpFlags === (TCP_SYN | TCP_ACK),
  );
  if (server === undefined || answer?.type !== "origin") return null;
  const stray = record(cluster, () => {
    sendAhead(server, answer.packet);
    network.settle();
  });
  const reset = stray.events.find((event) => event.type === "origin" && event.kind === "reset");
  const invalid = stray.events.some((event) => event.type === "conntrack" && event.action === "invalid");
  return observation(trace, invalid && reset !== undefined, {
    flow: `${flowText(trace.request)}, then one segment outside the window from the server`,
    outcome:
      reset?.type === "origin"
        ? `${outcomeText(trace)}; the stray segment is INVALID, arrives from ${formatIpv4(reset.packet.dst)}:${reset.packet.dport} instead of the Service's address, and ${reset.netns} resets the connection`
        : `${outcomeText(trace)}; the stray segment resets nothing`,
  });
}

/** A segment of the connection whose SYN/ACK that is, far ahead of its window. */
function sendAhead(server: Netns, answer: Packet): void {
  const segment = answer.clone();
  segment.tcpFlags = TCP_ACK | TCP_PSH;
  segment.seq = (answer.seq + LEAP) >>> 0;
  segment.payloadLength = STRAY_BYTES;
  segment.tcpOptions = TCPOPTS_ESTABLISHED;
  segment.id = server.nextIpId();
  const route = ipRouteOutput(server, segment.dst, segment.src);
  if (typeof route === "string") return;
  const skb = new Skb(segment);
  skb.route = route;
  server.originate(skb, "socket", 0);
  ipLocalOut(server, skb);
}

/** Does something, and keeps what the network reports meanwhile. */
function record<T>({ network }: SimulatedCluster, act: () => T): { result: T; events: NetworkEvent[] } {
  const events: NetworkEvent[] = [];
  network.recorder = { record: (event) => void events.push(event) };
  try {
    return { result: act(), events };
  } finally {
    network.recorder = null;
  }
}
