import type { NetworkEvent } from "../../linux/recorder.ts";
import type { Errno } from "../../linux/socket/error.ts";
import { Roles } from "../../trace/role.ts";
import { endingOf, icmpErrorsTo } from "../../trace/verdict.ts";
import type { FlowRequest, SenderSaw } from "../agent.ts";
import { compareValue, type Difference } from "./difference.ts";
import type { Outcome } from "./outcome.ts";

/** Holds the verdict that `podpath trace` would print for the events of a simulated flow against the kernel's. */
export function compareTraceVerdict(
  { from, protocol }: FlowRequest,
  kernel: Outcome,
  events: readonly NetworkEvent[],
  { errno }: SenderSaw,
): Difference[] {
  const roles = new Roles(events, from);
  const told = icmpErrorsTo(events, roles, from, (cause) => roles.isRequest(cause))[0] ?? null;
  // a connection's later errors are no answer to its first packet
  const atOnce = protocol === "tcp" && roles.request !== 0 ? null : (errno as Errno | null);
  const { verdict } = endingOf(events, roles, roles.request, told, atOnce);
  // what takes a SYN or an echo request and cannot answer (tcp_conn_request, icmp_reply) is seen by nobody
  const isMute =
    protocol !== "udp" && !events.some((e) => e.type === "device" && roles.of(e.serial).role === "reply");
  if (isMute && verdict === "delivered" && kernel.verdict === "dropped") return [];
  return compareValue("verdict of podpath trace", kernel.verdict, verdict, (text) => text);
}
