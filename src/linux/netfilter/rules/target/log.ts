import { quoteArgument } from "../arguments.ts";
import { refuse } from "../error.ts";
import { logText } from "../log-text.ts";
import { option } from "../match/extension.ts";
import { parseNumber } from "../number-text.ts";
import { TARGET_CONTINUE, TARGET_EXECUTE } from "../verdict.ts";
import type { TargetExtension } from "./target.ts";

export interface LogTarget {
  readonly prefix: string;
  /** syslog's levels; 4 is warning. */
  readonly level: number;
  readonly tcpSequence: boolean;
  readonly tcpOptions: boolean;
  readonly ipOptions: boolean;
  readonly uid: boolean;
  readonly macDecode: boolean;
}

const LEVELS: readonly (readonly string[])[] = [
  ["emerg", "panic"],
  ["alert"],
  ["crit"],
  ["error"],
  ["warning"],
  ["notice"],
  ["info"],
  ["debug"],
];

/** A level by number or by the beginning of its name (libxtables: xtopt_parse_sysloglvl). */
function parseLevel(text: string): number {
  if (/^\d/.test(text)) return parseNumber(text, 7, "LOG --log-level");
  const word = text.toLowerCase();
  const n = LEVELS.findIndex((names) => word !== "" && names.some((name) => name.startsWith(word)));
  return n < 0 ? refuse(`LOG: log-level "${text}" unknown`) : n;
}

/** `-j LOG`: a line in the kernel's log, and the walk goes on (net/netfilter/xt_LOG.c: log_tg). */
export const log: TargetExtension<LogTarget> = {
  name: "LOG",
  options: {
    "log-prefix": 1,
    "log-level": 1,
    "log-tcp-sequence": 0,
    "log-tcp-options": 0,
    "log-ip-options": 0,
    "log-uid": 0,
    "log-macdecode": 0,
  },
  tables: null,
  code: TARGET_EXECUTE,
  parse(options) {
    const has = (name: string): boolean => option(options, name) !== null;
    const prefix = option(options, "log-prefix")?.values[0] ?? "";
    if (prefix.length > 29) refuse("LOG: maximum prefix length 29 for --log-prefix");
    return {
      prefix,
      level: parseLevel(option(options, "log-level")?.values[0] ?? "4"),
      tcpSequence: has("log-tcp-sequence"),
      tcpOptions: has("log-tcp-options"),
      ipOptions: has("log-ip-options"),
      uid: has("log-uid"),
      macDecode: has("log-macdecode"),
    };
  },
  print: (t) =>
    (t.prefix === "" ? "" : ` --log-prefix ${quoteArgument(t.prefix)}`) +
    (t.level === 4 ? "" : ` --log-level ${t.level}`) +
    (t.tcpSequence ? " --log-tcp-sequence" : "") +
    (t.tcpOptions ? " --log-tcp-options" : "") +
    (t.ipOptions ? " --log-ip-options" : "") +
    (t.uid ? " --log-uid" : "") +
    (t.macDecode ? " --log-macdecode" : ""),
  execute(t, skb, context) {
    context.host.log(logText(t, skb, context.at), skb);
    return TARGET_CONTINUE;
  },
};

export interface NflogTarget {
  readonly group: number;
  readonly prefix: string;
  readonly size: number | null;
  readonly range: number | null;
  readonly threshold: number;
}

/** `-j NFLOG`: the packet for a user-space listener; there is none here, so the walk just goes on (net/netfilter/xt_NFLOG.c). */
export const nflog: TargetExtension<NflogTarget> = {
  name: "NFLOG",
  options: { "nflog-group": 1, "nflog-prefix": 1, "nflog-range": 1, "nflog-size": 1, "nflog-threshold": 1 },
  tables: null,
  code: TARGET_EXECUTE,
  parse(options) {
    const number = (name: string, max: number): number | null => {
      const o = option(options, name);
      return o === null ? null : parseNumber(o.values[0]!, max, `NFLOG --${name}`);
    };
    const prefix = option(options, "nflog-prefix")?.values[0] ?? "";
    if (prefix.length > 63) refuse("NFLOG: maximum prefix length is 63");
    return {
      group: number("nflog-group", 0xffff) ?? 0,
      prefix,
      size: number("nflog-size", 0xffffffff),
      range: number("nflog-range", 0xffffffff),
      threshold: number("nflog-threshold", 0xffff) ?? 0,
    };
  },
  print: (t) =>
    (t.prefix === "" ? "" : ` --nflog-prefix ${quoteArgument(t.prefix)}`) +
    (t.group === 0 ? "" : ` --nflog-group ${t.group}`) +
    (t.size !== null ? ` --nflog-size ${t.size}` : t.range !== null ? ` --nflog-range ${t.range}` : "") +
    (t.threshold === 0 ? "" : ` --nflog-threshold ${t.threshold}`),
  execute: () => TARGET_CONTINUE,
};
