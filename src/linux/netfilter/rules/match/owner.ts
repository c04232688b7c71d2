import type { Skb } from "../../../skb.ts";
import { refuse } from "../error.ts";
import { parseNumber } from "../number-text.ts";
import { type MatchExtension, not, option, type ParsedOption } from "./extension.ts";

interface IdRange {
  readonly min: number;
  readonly max: number;
  readonly negated: boolean;
}

export interface OwnerMatch {
  readonly uid: IdRange | null;
  readonly gid: IdRange | null;
  readonly socketExists: { readonly negated: boolean } | null;
}

/** User and group of every process here: containers and daemons of these clusters run as root. */
const ROOT = 0;

function ids(o: ParsedOption | null): IdRange | null {
  if (o === null) return null;
  const [low, high] = o.values[0]!.split("-");
  const min = parseNumber(low!, 0xfffffffe, "owner");
  const max = high === undefined ? min : parseNumber(high, 0xfffffffe, "owner");
  if (min > max) refuse(`owner: range "${o.values[0]}" runs backwards`);
  return { min, max, negated: o.negated };
}

const print = (name: string, r: IdRange | null): string =>
  r === null ? "" : `${not(r.negated)} --${name} ${r.min === r.max ? r.min : `${r.min}-${r.max}`}`;

const holds = (r: IdRange | null): boolean => r === null || (ROOT >= r.min && ROOT <= r.max) !== r.negated;

/** Has the packet a socket that a process holds? What the kernel makes by itself (RST, ICMP, VXLAN) has none. */
const hasProcess = (skb: Skb): boolean => skb.origin === "socket" || skb.origin === "daemon";

/** `-m owner` (net/netfilter/xt_owner.c: owner_mt). */
export const owner: MatchExtension<OwnerMatch> = {
  name: "owner",
  options: { "uid-owner": 1, "gid-owner": 1, "socket-exists": 0 },
  parse(options) {
    if (options.length === 0) refuse("owner: at least one of the options must be given");
    return {
      uid: ids(option(options, "uid-owner")),
      gid: ids(option(options, "gid-owner")),
      socketExists: option(options, "socket-exists"),
    };
  },
  print(m) {
    const exists = m.socketExists === null ? "" : `${not(m.socketExists.negated)} --socket-exists`;
    return exists + print("uid-owner", m.uid) + print("gid-owner", m.gid);
  },
  evaluate(m, skb) {
    if (!hasProcess(skb)) {
      const wants = (test: { readonly negated: boolean } | null): boolean => test !== null && !test.negated;
      return !wants(m.uid) && !wants(m.gid) && !wants(m.socketExists);
    }
    return !m.socketExists?.negated && holds(m.uid) && holds(m.gid);
  },
  newState: null,
  pure: true,
};
