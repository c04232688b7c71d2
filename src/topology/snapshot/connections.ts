import {
  Conntrack,
  IPS_ASSURED,
  IPS_DST_NAT,
  IPS_DST_NAT_DONE,
  IPS_SEEN_REPLY,
  IPS_SRC_NAT,
  IPS_SRC_NAT_DONE,
  TCP_CONNTRACK_NAMES,
  TcpTracking,
  type Tuple,
} from "../../linux/netfilter/conntrack/entry.ts";
import type { Netns } from "../../linux/netns.ts";
import { parseIpv4 } from "../../packet/address.ts";

const PROTOCOLS: Record<string, number> = { icmp: 1, tcp: 6, udp: 17, sctp: 132 };
/** Windows of a connection taken over in the middle are not known: anything goes (IP_CT_TCP_FLAG_BE_LIBERAL). */
const BE_LIBERAL = 0x08;

/**
 * Connections as `conntrack -L` lists them:
 * `tcp 6 431999 ESTABLISHED src=A dst=B sport=1 dport=2 src=C dst=A sport=3 dport=1 [ASSURED] mark=0 use=1`.
 */
export function addConnections(netns: Netns, text: string): void {
  const table = netns.netfilter.conntrack;
  if (table === null) return;
  for (const line of text.split("\n")) {
    const ct = parseConnection(line, netns.clock.nowUs);
    if (ct === null || table.taken(ct.original, ct) || table.taken(ct.reply, ct)) continue;
    table.insert(ct);
    table.rememberSource(ct);
  }
}

function parseConnection(line: string, nowUs: number): Conntrack | null {
  const words = line.trim().split(/\s+/);
  const protocol = PROTOCOLS[words[0] ?? ""];
  const seconds = Number(words[2]);
  const tuples = protocol === undefined ? [] : parseTuples(words, protocol);
  const [original, reply] = tuples;
  if (original === undefined || reply === undefined || !Number.isFinite(seconds)) return null;
  const ct = new Conntrack(original, reply);
  ct.expiresUs = nowUs + seconds * 1_000_000;
  ct.status = IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;
  if (!words.includes("[UNREPLIED]")) ct.status |= IPS_SEEN_REPLY;
  if (words.includes("[ASSURED]")) ct.status |= IPS_ASSURED;
  if (reply.dst !== original.src || reply.dport !== original.sport) ct.status |= IPS_SRC_NAT;
  if (reply.src !== original.dst || (protocol !== 1 && reply.sport !== original.dport))
    ct.status |= IPS_DST_NAT;
  ct.mark = Number(words.find((word) => word.startsWith("mark="))?.slice(5) ?? 0);
  if (protocol === 6) {
    ct.tcpState = Math.max(0, (TCP_CONNTRACK_NAMES as readonly string[]).indexOf(words[3] ?? ""));
    ct.tcp = new TcpTracking();
    for (const seen of ct.tcp.seen) seen.flags = BE_LIBERAL;
  }
  return ct;
}

function parseTuples(words: readonly string[], protocol: number): Tuple[] {
  const tuples: Record<string, string>[] = [];
  for (const word of words) {
    const [key, value] = word.split("=");
    if (value === undefined) continue;
    if (key === "src") tuples.push({});
    const current = tuples.at(-1);
    if (current !== undefined) current[key!] = value;
  }
  return tuples.map((t) => ({
    src: parseIpv4(t["src"]!),
    dst: parseIpv4(t["dst"]!),
    sport: Number(protocol === 1 ? t["id"] : (t["sport"] ?? 0)),
    dport: protocol === 1 ? Number(t["type"]) * 256 + Number(t["code"]) : Number(t["dport"] ?? 0),
    protocol,
  }));
}
