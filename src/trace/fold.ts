import { indexOfModel } from "../cluster/objects/model-index.ts";
import type { DeliverEvent, NetworkEvent } from "../linux/recorder.ts";
import type { Errno } from "../linux/socket/error.ts";
import { formatIpv4 } from "../packet/address.ts";
import type { TraceableCluster } from "./cluster.ts";
import { connectionsOf } from "./connections.ts";
import { traceEvent } from "./event.ts";
import { destinationText, sourceText } from "./packet-record.ts";
import type { Roles } from "./role.ts";
import type { SettledRequest } from "./settle.ts";
import {
  API_VERSION,
  type Delivered,
  type PathEntry,
  type Reply,
  type RequestPart,
  type RuleEntry,
  type Trace,
} from "./trace.ts";
import { endingOf, icmpErrorsTo, packetAtEnd, placeOfUnsent } from "./verdict.ts";

/** Makes the trace out of the event stream of a run. */
export function fold(
  { model, network }: TraceableCluster,
  settled: SettledRequest,
  events: readonly NetworkEvent[],
  roles: Roles,
  errno: Errno | null,
): Trace {
  const { request: serial } = roles;
  const sender = settled.sender.name;
  const fromSender = (cause: number): boolean =>
    roles.isRequest(cause) || isFollowUp(events, roles, cause, sender);
  const icmp = icmpErrorsTo(events, roles, sender, fromSender)[0] ?? null;
  const told = icmpErrorsTo(events, roles, sender, (cause) => roles.isRequest(cause))[0] ?? null;
  const ending = endingOf(events, roles, serial, told, errno);
  const delivered = deliveryOf(model, events, serial);
  return {
    apiVersion: API_VERSION,
    kind: "Trace",
    request: requestOf(settled, events, roles),
    ...ending,
    ...(serial === 0 ? { at: placeOfUnsent(sender) } : {}),
    delivered,
    reply: delivered === null || !settled.reply ? null : replyOf(events, roles, delivered.netns),
    reset: settled.reply ? resetOf(events, roles, sender) : null,
    errno: errno ?? null,
    icmp,
    path: pathOf(events, roles),
    rules: rulesOf(events, roles),
    rulesEvaluated: events.reduce(
      (sum, e) => (e.type === "table" && roles.isRequest(e.serial) ? sum + e.rulesWalked : sum),
      0,
    ),
    conntrack: connectionsOf(network, events),
    events: attributeLogs(events).map((event) => traceEvent(event, roles)),
  };
}

function requestOf(
  { from, to, protocol, target, port, ttl, size, sender }: SettledRequest,
  events: readonly NetworkEvent[],
  roles: Roles,
): Trace["request"] {
  const origin = events.find((e) => e.type === "origin" && e.serial === roles.request);
  const common = { from, to, protocol };
  if (origin?.type === "origin") {
    const { packet } = origin;
    return {
      ...common,
      source: sourceText(packet),
      destination: destinationText(packet),
      ttl: packet.ttl,
      size,
    };
  }
  // no packet was made: there was no way, so no source address either
  const ports = protocol !== "icmp";
  const destination = formatIpv4(target.address) + (ports ? `:${target.port}` : "");
  const source = ports ? `0.0.0.0:${port}` : "0.0.0.0";
  return {
    ...common,
    source,
    destination,
    ttl: ttl ?? sender.sysctl.scalar["net.ipv4.ip_default_ttl"],
    size,
  };
}

/** A rule's log line does not say which packet it is about: the one whose walk it stands in. */
function attributeLogs(events: readonly NetworkEvent[]): NetworkEvent[] {
  return events.map((e, i) => {
    if (e.type !== "log" || e.serial !== 0) return e;
    const walk = events.slice(i).find((next) => next.type === "table" && next.netns === e.netns);
    return walk === undefined ? e : { ...e, serial: walk.serial };
  });
}

const isFollowUp = (events: readonly NetworkEvent[], roles: Roles, serial: number, sender: string): boolean =>
  roles.of(serial).role === "follow-up" &&
  events.some((e) => e.type === "origin" && e.serial === serial && e.netns === sender);

function deliveryOf(
  model: TraceableCluster["model"],
  events: readonly NetworkEvent[],
  serial: number,
): Delivered | null {
  const event = events.find((e): e is DeliverEvent => e.type === "deliver" && e.serial === serial);
  if (serial === 0 || event === undefined) return null;
  const { netns, owner, packet } = event;
  const pod = podAt(model, netns, owner, packet.dport);
  return {
    netns,
    pod: pod === undefined ? null : `${pod.namespace}/${pod.name}`,
    container: owner,
    source: sourceText(packet),
    destination: destinationText(packet),
    ttl: packet.ttl,
  };
}

/** Whose namespace it is; on a node the pod in the node's network one of whose containers took the packet. */
function podAt(model: TraceableCluster["model"], netns: string, owner: string | null, port: number) {
  const index = indexOfModel(model);
  return (
    index.podOfNetns(netns) ??
    index
      .hostPods(netns)
      .find(({ containers }) =>
        containers.some(
          (one) => one.name === owner && one.ports.some(({ containerPort }) => containerPort === port),
        ),
      )
  );
}

function replyOf(events: readonly NetworkEvent[], roles: Roles, replier: string): Reply | null {
  const serial = roles.serials("reply", false)[0];
  if (serial === undefined) return null;
  const packet = packetAtEnd(events, serial)!;
  const icmp = icmpErrorsTo(events, roles, replier, (cause) => roles.of(cause).role === "reply")[0] ?? null;
  return {
    ...endingOf(events, roles, serial, icmp, null),
    source: sourceText(packet),
    destination: destinationText(packet),
    ttl: packet.ttl,
    icmp,
  };
}

function resetOf(events: readonly NetworkEvent[], roles: Roles, sender: string): Trace["reset"] {
  for (const e of events) {
    if (e.type !== "deliver" || e.netns !== sender) continue;
    const { role, cause } = roles.of(e.serial);
    if (role !== "reset" || !roles.isRequest(cause)) continue;
    return { source: sourceText(e.packet), destination: destinationText(e.packet), ttl: e.packet.ttl };
  }
  return null;
}

const partOf = (roles: Roles, serial: number): RequestPart =>
  roles.of(serial).outer ? "request-outer" : "request";

function pathOf(events: readonly NetworkEvent[], roles: Roles): PathEntry[] {
  const path: PathEntry[] = [];
  for (const e of events) {
    if (e.type !== "device" || !roles.isRequest(e.serial)) continue;
    const { netns, device, direction, timeUs, serial } = e;
    path.push({ netns, device, direction, time_us: timeUs, of: partOf(roles, serial) });
  }
  return path;
}

function rulesOf(events: readonly NetworkEvent[], roles: Roles): RuleEntry[] {
  const rules: RuleEntry[] = [];
  for (const e of events) {
    if (e.type !== "rule" || e.rule === 0 || !roles.isRequest(e.serial)) continue;
    const { netns, hook, table, chain, rule, target, serial } = e;
    rules.push({ netns, hook, table, chain, rule, target, of: partOf(roles, serial) });
  }
  return rules;
}
