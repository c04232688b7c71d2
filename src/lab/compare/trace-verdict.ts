import type { NetworkEvent } from "../../linux/recorder.ts";
import type { Errno } from "../../linux/socket/error.ts";
import { type Role, Roles } from "../../trace/role.ts";
import { endingOf, icmpErrorsTo } from "../../trace/verdict.ts";
import type { FlowRequest, SenderSaw } from "../agent.ts";
import { compareValue, type Difference } from "./difference.ts";
import type { Outcome } from "./outcome.ts";

const ANSWERS: ReadonlySet<Role> = new Set(["reply", "reset", "icmp-error"]);

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
  // what takes a SYN or an echo request, or refuses a packet, and has no way to say so (tcp_conn_request, icmp_reply,
  // icmp_send) is seen by nobody
  const isMute = !events.some((e) => e.type === "device" && ANSWERS.has(roles.of(e.serial).role));
  const unseen = verdict === "refused" || (verdict === "delivered" && protocol !== "udp");
  if (isMute && unseen && kernel.verdict === "dropped") return [];
  return compareValue("verdict of podpath trace", kernel.verdict, verdict, (text) => text);
}
