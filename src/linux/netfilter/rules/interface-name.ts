import { refuse } from "./error.ts";

/** An interface as rules name it: a `+` at the end stands for any rest. */
export interface InterfacePattern {
  /** Without the `+`. */
  readonly name: string;
  readonly prefix: boolean;
  readonly negated: boolean;
}

export function parseInterface(text: string, negated: boolean): InterfacePattern {
  if (text.length > 15) refuse(`interface name "${text}" must be shorter than 16 characters`);
  if (text === "" || /[\s/]/.test(text)) refuse(`"${text}" is not an interface name`);
  const prefix = text.endsWith("+");
  return { name: prefix ? text.slice(0, -1) : text, prefix, negated };
}

export const printInterface = (i: InterfacePattern): string => (i.prefix ? `${i.name}+` : i.name);

/** Without regard to negation; no device has the empty name (net/ipv4/netfilter/ip_tables.c: nulldevname). */
export const interfaceFits = (pattern: InterfacePattern, name: string): boolean =>
  pattern.prefix ? name.startsWith(pattern.name) : name === pattern.name;
