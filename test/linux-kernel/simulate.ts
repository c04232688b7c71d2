import { stateName } from "../../src/linux/netfilter/conntrack/describe.ts";
import {
  type Conntrack,
  IPS_ASSURED,
  IPS_SEEN_REPLY,
  type Tuple,
} from "../../src/linux/netfilter/conntrack/entry.ts";
import { TcpConnection } from "../../src/linux/socket/tcp-connection.ts";
import { formatIpv4, parseIpv4 } from "../../src/packet/address.ts";
import { IPPROTO_ICMP, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from "../../src/packet/packet.ts";
import { ip } from "../linux/ip-words.ts";
import { buildLab, type Lab } from "../linux/lab.ts";
import { injectFrame, sendRaw } from "../linux/send.ts";
import { frameLine } from "./frame-line.ts";
import { countersOf } from "./kernel.ts";
import { type Seen, type Situation, STEP_MS, type Step } from "./step.ts";

/** Does a situation here. */
export function simulate(situation: Situation): Seen {
  const lab = buildLab(situation.plan);
  const seen: Seen = { steps: [], conntrack: {}, counters: {} };
  for (const step of situation.steps) {
    const from = lab.events.length;
    const result = doStep(lab, step);
    lab.network.advance((step.do === "wait" ? step.ms : STEP_MS) * 1000);
    const frames: Record<string, string[]> = {};
    for (const event of lab.events.slice(from)) {
      if (event.type !== "device") continue;
      const key = `${event.netns}:${event.device} ${event.direction}`;
      frames[key] ??= [];
      frames[key]!.push(frameLine(event.packet));
    }
    const errno = result instanceof TcpConnection ? outcome(result) : result;
    const connections = situation.follow
      ? (situation.inspect ?? []).flatMap((ns) => timedLines(lab, ns))
      : [];
    seen.steps.push({ frames, errno, connections: connections.sort() });
  }
  for (const name of situation.inspect ?? []) {
    const { netfilter } = lab.ns(name);
    seen.conntrack[name] = [...(netfilter.conntrack?.entries() ?? [])].map(conntrackWords).sort();
    seen.counters[name] = countersOf(netfilter.save({ counters: true }).split("\n"));
  }
  return seen;
}

function timedLines(lab: Lab, ns: string): string[] {
  const entries = lab.ns(ns).netfilter.conntrack?.entries() ?? [];
  return [...entries].map((ct) => {
    const seconds = Math.floor((ct.expiresUs - lab.network.clock.nowUs) / 1_000_000);
    return `${conntrackWords(ct)} (${Math.round((seconds + 1) / 10) * 10} s)`;
  });
}

const outcome = ({ state, error }: TcpConnection): string | null =>
  error !== null ? error.errno : state === "ESTABLISHED" ? "connected" : null;

const addressOf = (text: string): { address: number; port: number } => {
  const [host, port] = text.split(":");
  return { address: parseIpv4(host!), port: Number(port) };
};

function doStep(lab: Lab, step: Step): string | null | TcpConnection {
  switch (step.do) {
    case "send": {
      let errno: string | null = null;
      for (let i = 0; i < (step.times ?? 1); i++) errno = sendRaw(lab, step.in, step.packet);
      return errno;
    }
    case "inject":
      injectFrame(lab, step.at, step.packet);
      return null;
    case "udp": {
      const to = addressOf(step.to);
      const from = addressOf(step.from!);
      const { udp } = lab.ns(step.in).sockets;
      udp.bind({ ...from, owner: null, receive: () => {} });
      return udp.send({
        destination: to.address,
        destinationPort: to.port,
        source: from.address,
        sourcePort: from.port,
        payloadLength: step.bytes,
        ...(step.discovery === undefined ? {} : { discovery: step.discovery }),
      }).errno;
    }
    case "connect": {
      const to = addressOf(step.to);
      const from = addressOf(step.from);
      return lab.ns(step.in).sockets.tcp.connect({
        destination: to.address,
        destinationPort: to.port,
        source: from.address,
        sourcePort: from.port,
      });
    }
    case "serve": {
      const { address, port } = addressOf(step.at);
      const respondBytes = step.protocol === "udp" ? (step.bytes ?? 1) : 0;
      lab.ns(step.in).sockets.listen({ protocol: step.protocol, address, port, respondBytes });
      return null;
    }
    case "ip":
      ip(lab.ns(step.in), step.words);
      return null;
    case "sysctl":
      lab.ns(step.in).sysctl.set(step.key, step.value);
      return null;
    case "wait":
      return null;
  }
}

const PROTOCOLS: Record<number, string> = {
  [IPPROTO_ICMP]: "icmp",
  [IPPROTO_TCP]: "tcp",
  [IPPROTO_UDP]: "udp",
  [IPPROTO_SCTP]: "sctp",
};

/** A connection as `conntrack -L` words it, without timeout. */
function conntrackWords(ct: Conntrack): string {
  const state = stateName(ct);
  const words = [PROTOCOLS[ct.protocol] ?? "unknown", String(ct.protocol)];
  if (state !== null) words.push(state);
  words.push(tupleWords(ct.original));
  if ((ct.status & IPS_SEEN_REPLY) === 0) words.push("[UNREPLIED]");
  words.push(tupleWords(ct.reply));
  if (ct.status & IPS_ASSURED) words.push("[ASSURED]");
  if (ct.mark !== 0) words.push(`mark=${ct.mark}`);
  return words.join(" ");
}

function tupleWords(t: Tuple): string {
  const ends = `src=${formatIpv4(t.src)} dst=${formatIpv4(t.dst)}`;
  if (t.protocol === IPPROTO_ICMP)
    return `${ends} type=${t.dport >>> 8} code=${t.dport & 0xff} id=${t.sport}`;
  return [IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP].some((p) => p === t.protocol)
    ? `${ends} sport=${t.sport} dport=${t.dport}`
    : ends;
}
