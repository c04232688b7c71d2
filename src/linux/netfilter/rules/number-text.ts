import { refuse } from "./error.ts";

/** An unsigned integer in C's notation (0x…, 0… octal, decimal), as `xtables_strtoui` takes it. Refuses what is outside [min, max]. */
export function parseNumber(text: string, max: number, what: string, min = 0): number {
  let value = Number.NaN;
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) value = Number.parseInt(text.slice(2), 16);
  else if (/^0[0-7]*$/.test(text)) value = Number.parseInt(text, 8);
  else if (/^[1-9][0-9]*$/.test(text)) value = Number(text);
  if (!(value >= min && value <= max)) refuse(`${what}: "${text}" is not a number from ${min} to ${max}`);
  return value;
}

/** `VALUE[/MASK]`, 32 bits each; the mask defaults to all ones. */
export function parseMarkMask(text: string, what: string): { mark: number; mask: number } {
  const slash = text.indexOf("/");
  if (slash < 0) return { mark: parseNumber(text, 0xffffffff, what), mask: 0xffffffff };
  return {
    mark: parseNumber(text.slice(0, slash), 0xffffffff, what),
    mask: parseNumber(text.slice(slash + 1), 0xffffffff, what),
  };
}

/** `MIN[:MAX]` with either end left out standing for the limit. */
export function parseRange(text: string, max: number, what: string): { min: number; max: number } {
  const colon = text.indexOf(":");
  if (colon < 0) {
    const n = parseNumber(text, max, what);
    return { min: n, max: n };
  }
  const low = text.slice(0, colon);
  const high = text.slice(colon + 1);
  const range = {
    min: low === "" ? 0 : parseNumber(low, max, what),
    max: high === "" ? max : parseNumber(high, max, what),
  };
  if (range.min > range.max) refuse(`${what}: "${text}" runs backwards`);
  return range;
}

/** `0x` and lower-case hexadecimal digits, as iptables-save prints marks. */
export const hex = (n: number): string => `0x${n.toString(16)}`;

/** Two hexadecimal digits after `0x`, as iptables-save prints TOS and DSCP. */
export const hex2 = (n: number): string => `0x${n.toString(16).padStart(2, "0")}`;

/** Services that iptables' own manuals name; any other port is given as a number. */
const SERVICES: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  bootps: 67,
  bootpc: 68,
  tftp: 69,
  http: 80,
  pop3: 110,
  ntp: 123,
  imap2: 143,
  snmp: 161,
  ldap: 389,
  https: 443,
  submission: 587,
  ldaps: 636,
  imaps: 993,
  pop3s: 995,
  nfs: 2049,
  mysql: 3306,
  postgresql: 5432,
};

/** A port: a number, or the name of a well-known service. */
export function parsePort(text: string, what: string): number {
  return Object.hasOwn(SERVICES, text) ? SERVICES[text]! : parseNumber(text, 0xffff, what);
}

export interface PortRange {
  readonly min: number;
  readonly max: number;
  readonly negated: boolean;
}

/** `PORT[:PORT]`; null for the range that holds every port, which iptables does not keep. */
export function parsePortRange(text: string, negated: boolean, what: string): PortRange {
  const colon = text.indexOf(":");
  if (colon < 0) {
    const port = parsePort(text, what);
    return { min: port, max: port, negated };
  }
  const low = text.slice(0, colon);
  const high = text.slice(colon + 1);
  const min = low === "" ? 0 : parsePort(low, what);
  const max = high === "" ? 0xffff : parsePort(high, what);
  if (min > max) refuse(`${what}: invalid port range "${text}" (min > max)`);
  return { min, max, negated };
}

/** ` --option [PORT|PORT:PORT]` with `!` before it, empty for every port (extensions/libxt_tcp.c: print_port). */
export function printPortRange(option: string, range: PortRange | null): string {
  if (range === null || (range.min === 0 && range.max === 0xffff && !range.negated)) return "";
  const ports = range.min === range.max ? `${range.min}` : `${range.min}:${range.max}`;
  return `${range.negated ? " !" : ""} --${option} ${ports}`;
}

export const portInRange = (range: PortRange | null, port: number): boolean =>
  range === null || (port >= range.min && port <= range.max) !== range.negated;
