import { addrtype } from "./addrtype.ts";
import { comment } from "./comment.ts";
import { conntrack } from "./conntrack.ts";
import type { MatchExtension } from "./extension.ts";
import { icmp } from "./icmp.ts";
import { iprange } from "./iprange.ts";
import { length } from "./length.ts";
import { limit } from "./limit.ts";
import { mac } from "./mac.ts";
import { connmark, mark } from "./mark.ts";
import { multiport } from "./multiport.ts";
import { nfacct } from "./nfacct.ts";
import { owner } from "./owner.ts";
import { physdev } from "./physdev.ts";
import { pkttype } from "./pkttype.ts";
import { quota } from "./quota.ts";
import { recent } from "./recent.ts";
import { rpfilter } from "./rpfilter.ts";
import { set } from "./set.ts";
import { state } from "./state.ts";
import { statistic } from "./statistic.ts";
import { tcp } from "./tcp.ts";
import { tcpmss } from "./tcpmss.ts";
import { dscp, tos } from "./tos.ts";
import { ttl } from "./ttl.ts";
import { sctp, udp } from "./udp.ts";

/** An extension of whatever kind: only its name and its options are the same for all. */
export type AnyMatchExtension = MatchExtension<unknown, unknown>;

const ALL: readonly unknown[] = [
  addrtype,
  comment,
  connmark,
  conntrack,
  dscp,
  icmp,
  iprange,
  length,
  limit,
  mac,
  mark,
  multiport,
  nfacct,
  owner,
  physdev,
  pkttype,
  quota,
  recent,
  rpfilter,
  sctp,
  set,
  state,
  statistic,
  tcp,
  tcpmss,
  tos,
  ttl,
  udp,
];

/** Every match that packets can be judged by, under its name in `-m NAME`. */
export const MATCHES: ReadonlyMap<string, AnyMatchExtension> = new Map(
  (ALL as readonly AnyMatchExtension[]).map((extension) => [extension.name, extension]),
);
