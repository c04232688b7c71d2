import { IPPROTO_ICMP, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from "../../../packet/packet.ts";
import type { Chooser } from "../../chooser.ts";
import { type Conntrack, IP_CT_DIR_ORIGINAL, IPS_SRC_NAT, type Tuple } from "../conntrack/entry.ts";
import type { ConntrackTable } from "../conntrack/table.ts";
import { invertTuple } from "../conntrack/tuple.ts";
import { jhash2, reciprocalScale } from "./jhash.ts";
import { type NatRange, wantsRandomPort } from "./range.ts";

export type Manip = "source" | "destination";

const MAX_ATTEMPTS = 128;
/** NF_NAT_HARDER_THRESH */
const HARDER_ATTEMPTS = MAX_ATTEMPTS / 4;
const TCP_SYN_SENT = 1;
const TCP_TIME_WAIT = 7;

/**
 * `get_unique_tuple` (net/netfilter/nf_nat_core.c): what the connection's packets shall look like once translated.
 * Keeps what may be kept, and finds something that no other connection uses; when nothing is free, the last try is
 * given and the connection will fail to be confirmed.
 */
export function getUniqueTuple(
  table: ConntrackTable,
  chooser: Chooser,
  original: Tuple,
  range: NatRange,
  ct: Conntrack,
  manip: Manip,
): Tuple {
  const random = wantsRandomPort(range);
  if (manip === "source" && !random) {
    if (inRange(original, range)) {
      if (!used(table, original, ct)) return { ...original };
    } else {
      const mapped = findAppropriateSource(table, original, range);
      if (mapped !== null && !used(table, mapped, ct)) return mapped;
    }
  }
  const tuple = { ...original };
  findBestAddress(tuple, range, manip);
  if (!random) {
    if (range.ports === null) {
      if (!used(table, tuple, ct)) return tuple;
    } else if (range.portBase === null && portInRange(tuple, range.ports, manip)) {
      if (range.ports.min === range.ports.max || !used(table, tuple, ct)) return tuple;
    }
  }
  findFreePort(table, chooser, tuple, range, ct, manip);
  return tuple;
}

/** `nf_nat_used_tuple`: would the answer to this be taken for another connection's? */
function used(table: ConntrackTable, tuple: Tuple, ct: Conntrack): boolean {
  if (tuple.protocol !== IPPROTO_ICMP) {
    // the answer is the question turned round: no need to make one for looking it up
    const other = table.find(tuple.dst, tuple.src, tuple.dport, tuple.sport, tuple.protocol).ct;
    return other !== null && other !== ct;
  }
  const reply = invertTuple(tuple);
  return reply !== null && table.taken(reply, ct);
}

/**
 * `nf_nat_used_tuple_harder`: when few attempts are left, a translated TCP connection that is over gives its port up to
 * a new one whose sequence numbers are beyond its own.
 */
function usedHarder(table: ConntrackTable, tuple: Tuple, ct: Conntrack, attemptsLeft: number): boolean {
  if (attemptsLeft > HARDER_ATTEMPTS || tuple.protocol !== IPPROTO_TCP || ct.tcpState !== TCP_SYN_SENT)
    return used(table, tuple, ct);
  const found = table.findTuple(invertTuple(tuple)!);
  const other = found.ct;
  if (other === null) return false;
  const over = other.tcpState >= TCP_TIME_WAIT && (other.status & IPS_SRC_NAT) !== 0;
  const advanced = ((ct.tcp!.seen[0].end - (other.tcp?.seen[0].end ?? 0)) | 0) > 0;
  if (found.direction === IP_CT_DIR_ORIGINAL || other === ct || !over || !advanced) return true;
  table.remove(other);
  return false;
}

/** `nf_in_range`, for the source */
function inRange(t: Tuple, range: NatRange): boolean {
  const { addresses, ports } = range;
  if (addresses !== null && (t.src < addresses.min || t.src > addresses.max)) return false;
  return ports === null || portInRange(t, ports, "source");
}

function portInRange(t: Tuple, ports: { min: number; max: number }, manip: Manip): boolean {
  const port = t.protocol === IPPROTO_ICMP || manip === "source" ? t.sport : t.dport;
  return port >= ports.min && port <= ports.max;
}

/** `find_appropriate_src`: where this source went with another connection, let it go with this one too. */
function findAppropriateSource(table: ConntrackTable, t: Tuple, range: NatRange): Tuple | null {
  for (const other of table.sameSource(t)) {
    if (other.original.src !== t.src || other.original.sport !== t.sport || other.protocol !== t.protocol)
      continue;
    const result = {
      ...t,
      src: other.reply.dst,
      sport: t.protocol === IPPROTO_ICMP ? other.reply.sport : other.reply.dport,
    };
    if (inRange(result, range)) return result;
  }
  return null;
}

/** `find_best_ips_proto`: of several addresses, the one that a hash of source and destination names. */
function findBestAddress(tuple: Tuple, range: NatRange, manip: Manip): void {
  if (range.addresses === null) return;
  const { min, max } = range.addresses;
  let address = min;
  if (min !== max) {
    const seed = range.persistent ? 0 : swap(tuple.dst);
    address = min + reciprocalScale(jhash2([swap(tuple.src), 0, 0, 0], seed), max - min + 1);
  }
  if (manip === "source") tuple.src = address;
  else tuple.dst = address;
}

/** The kernel hashes addresses in network byte order, as a little-endian machine reads them. */
const swap = (n: number): number =>
  ((n & 0xff) << 24) | ((n & 0xff00) << 8) | ((n >>> 8) & 0xff00) | (n >>> 24) | 0;

/** `nf_nat_l4proto_unique_tuple`: tries ports from a start on, in ever shorter runs. */
function findFreePort(
  table: ConntrackTable,
  chooser: Chooser,
  tuple: Tuple,
  range: NatRange,
  ct: Conntrack,
  manip: Manip,
): void {
  const { protocol } = tuple;
  const isIcmp = protocol === IPPROTO_ICMP;
  if (!isIcmp && protocol !== IPPROTO_TCP && protocol !== IPPROTO_UDP && protocol !== IPPROTO_SCTP) return;
  const key: "sport" | "dport" = isIcmp || manip === "source" ? "sport" : "dport";
  const span = portSpan(tuple[key], range, isIcmp, manip);
  if (span === null) return;
  let offset: number;
  if (range.portBase !== null) offset = tuple[key] - range.portBase;
  else if (wantsRandomPort(range) || manip !== "destination") offset = chooser.pick(65536, "port");
  else offset = 0;
  for (let attempts = Math.min(span.size, MAX_ATTEMPTS); ; attempts >>= 1) {
    for (let i = 0; i < attempts; i++, offset++) {
      tuple[key] = span.min + (((offset % span.size) + span.size) % span.size);
      if (!usedHarder(table, tuple, ct, attempts - i)) return;
    }
    if (attempts >= span.size || attempts < 16) return;
    offset = chooser.pick(65536, "port");
  }
}

/** From which ports to choose; null when the port may not change. Privileged ports stay among themselves. */
function portSpan(
  port: number,
  range: NatRange,
  isIcmp: boolean,
  manip: Manip,
): { min: number; size: number } | null {
  if (range.ports !== null) return { min: range.ports.min, size: range.ports.max - range.ports.min + 1 };
  if (isIcmp) return { min: 0, size: 65536 };
  if (manip === "destination") return null;
  if (port < 512) return { min: 1, size: 511 };
  if (port < 1024) return { min: 600, size: 424 };
  return { min: 1024, size: 64512 };
}
