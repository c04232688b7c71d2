import { refuse } from "./error.ts";
import { parseNumber } from "./number-text.ts";

const TOS: Readonly<Record<string, number>> = {
  "minimize-delay": 0x10,
  "maximize-throughput": 0x08,
  "maximize-reliability": 0x04,
  "minimize-cost": 0x02,
  "normal-service": 0x00,
};

/** `VALUE[/MASK]` or a name, whose mask is 0x3f (extensions/tos_values.c). */
export function parseTos(text: string, what: string): { value: number; mask: number } {
  if (/^[a-z]/i.test(text)) {
    const value = TOS[text.toLowerCase()];
    if (value === undefined) return refuse(`${what}: unknown TOS "${text}"`);
    return { value, mask: 0x3f };
  }
  const [value, mask] = text.split("/");
  return {
    value: parseNumber(value!, 255, what),
    mask: mask === undefined ? 255 : parseNumber(mask, 255, what),
  };
}

/** A DiffServ class by name: BE, EF, CS0–CS7, AF11–AF43 (extensions/dscp_helper.c). */
export function parseDscpClass(text: string, what: string): number {
  const name = text.toUpperCase();
  if (name === "BE") return 0;
  if (name === "EF") return 0x2e;
  const cs = /^CS([0-7])$/.exec(name);
  if (cs !== null) return Number(cs[1]) * 8;
  const af = /^AF([1-4])([1-3])$/.exec(name);
  if (af !== null) return Number(af[1]) * 8 + Number(af[2]) * 2;
  return refuse(`${what}: invalid DSCP class "${text}"`);
}
