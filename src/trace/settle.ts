import type { Netns } from "../linux/netns.ts";
import type { TraceableCluster } from "./cluster.ts";
import { checkNumbers, sizeOf, type TraceProtocol, type TraceRequest } from "./request.ts";
import { resolveSource, resolveTarget, type Target } from "./resolve.ts";

const MAX_ECHO_ID = 0xffff;

/** A request of which every part is settled. */
export interface SettledRequest {
  readonly from: string;
  readonly to: string;
  readonly sender: Netns;
  readonly target: Target;
  readonly protocol: TraceProtocol;
  /** Source port; icmp: the echo's identifier. */
  readonly port: number;
  readonly ttl: number | undefined;
  readonly size: number;
  readonly dontFragment: boolean;
  readonly reply: boolean;
}

/**
 * Settles a request: who sends, whom to, from which port.
 *
 * @throws RequestError when it names what is not there, or asks for what no packet can carry.
 */
export function settleRequest(cluster: TraceableCluster, request: TraceRequest): SettledRequest {
  const sender = resolveSource(cluster, request.from);
  const target = resolveTarget(cluster, request.to, request.protocol);
  const { protocol } = target;
  checkNumbers(protocol, request);
  return {
    from: request.from,
    to: request.to,
    sender,
    target,
    protocol,
    port: request.sourcePort ?? choosePort(sender, protocol),
    ttl: request.ttl,
    size: sizeOf(protocol, request.size),
    dontFragment: request.dontFragment ?? false,
    reply: request.reply ?? true,
  };
}

function choosePort({ chooser, sysctl }: Netns, protocol: TraceProtocol): number {
  if (protocol === "icmp") return 1 + chooser.pick(MAX_ECHO_ID, "id");
  const [first, last] = sysctl.localPortRange;
  return first + chooser.pick(last - first + 1, "port");
}
