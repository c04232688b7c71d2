/** Sysctls as topologies write them: full dotted names of what the simulated kernel knows, whole numbers. */
import { z } from "zod";
import { DEVICE_CONF_KEYS, SCALAR_SYSCTLS } from "../../linux/sysctl.ts";
import { show } from "./field.ts";
import type { PortRange } from "./model.ts";
import { didYouMean } from "./nearest.ts";

const IP_FORWARD = "net.ipv4.ip_forward";
const LOCAL_PORT_RANGE = "net.ipv4.ip_local_port_range";
const DEVICE_CONF = /^net\.ipv4\.conf\.([^.]+(?:\.\d+)?)\.([a-z_]+)$/;

/** What is wrong with one setting, or null. The value may be a number or, as in `sysctl -w`, its text. */
export function sysctlFault(name: string, value: unknown): string | null {
  if (!isSimulated(name)) return `is not a simulated sysctl${didYouMean(name, knownNames(name))}`;
  if (name === LOCAL_PORT_RANGE)
    return toPortRange(value) === null ? `expected two ports "FIRST LAST", got ${show(value)}` : null;
  const number = toValue(value);
  if (number === null) return `expected a whole number, got ${show(value)}`;
  const [min, max] = bounds(name);
  return number >= min && number <= max ? null : `${number} is outside ${min}-${max}`;
}

/** A mapping of sysctls; each unknown name and each wrong value is a fault of its own. */
export const sysctls = () =>
  z.record(z.string(), z.unknown()).superRefine((settings, context) => {
    for (const [name, value] of Object.entries(settings)) {
      const message = sysctlFault(name, value);
      if (message !== null) context.addIssue({ code: "custom", path: [name], message });
    }
  });

/** Valid settings as numbers; the one that is a range stands apart. */
export function toSysctls(settings: Readonly<Record<string, unknown>>): {
  sysctl: Record<string, number>;
  localPortRange: PortRange | null;
} {
  const sysctl: Record<string, number> = {};
  let localPortRange: PortRange | null = null;
  for (const [name, value] of Object.entries(settings))
    if (name === LOCAL_PORT_RANGE) localPortRange = toPortRange(value);
    else sysctl[name] = toValue(value) ?? 0;
  return { sysctl, localPortRange };
}

/** True for a name the simulated kernel knows. */
export function isSimulated(name: string): boolean {
  if (name === IP_FORWARD || name === LOCAL_PORT_RANGE) return true;
  if ((SCALAR_SYSCTLS as readonly string[]).includes(name)) return true;
  return (DEVICE_CONF_KEYS as readonly string[]).includes(DEVICE_CONF.exec(name)?.[2] ?? "");
}

function knownNames(name: string): string[] {
  const device = /^net\.ipv4\.conf\.([^.]+)\./.exec(name)?.[1] ?? "all";
  return [
    IP_FORWARD,
    LOCAL_PORT_RANGE,
    ...SCALAR_SYSCTLS,
    ...DEVICE_CONF_KEYS.map((key) => `net.ipv4.conf.${device}.${key}`),
  ];
}

function bounds(name: string): [number, number] {
  if (name.endsWith(".rp_filter")) return [0, 2];
  if (name === "net.ipv4.ip_default_ttl") return [1, 255];
  return [0, 2 ** 31 - 1];
}

function toValue(value: unknown): number | null {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) ? number : null;
}

/** The kernel wants 1 ≤ first ≤ last (`net/ipv4/sysctl_net_ipv4.c: ipv4_local_port_range`). */
function toPortRange(value: unknown): PortRange | null {
  const [, first, last] = /^(\d{1,5})\s+(\d{1,5})$/.exec(typeof value === "string" ? value.trim() : "") ?? [];
  if (first === undefined || last === undefined) return null;
  const range = { first: Number(first), last: Number(last) };
  return range.first >= 1 && range.first <= range.last && range.last <= 65535 ? range : null;
}
