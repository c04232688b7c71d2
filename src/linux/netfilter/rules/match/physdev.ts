import type { Skb } from "../../../skb.ts";
import { refuse } from "../error.ts";
import { type InterfacePattern, interfaceFits, parseInterface, printInterface } from "../interface-name.ts";
import { type MatchExtension, not, option } from "./extension.ts";

interface Flag {
  readonly negated: boolean;
}

export interface PhysdevMatch {
  readonly in: InterfacePattern | null;
  readonly out: InterfacePattern | null;
  readonly isIn: Flag | null;
  readonly isOut: Flag | null;
  readonly isBridged: Flag | null;
}

const unlessNegated = (test: Flag | null): boolean => test !== null && !test.negated;

/** `-m physdev`: ports of a bridge (net/netfilter/xt_physdev.c: physdev_mt). */
export const physdev: MatchExtension<PhysdevMatch> = {
  name: "physdev",
  options: {
    "physdev-in": 1,
    "physdev-out": 1,
    "physdev-is-in": 0,
    "physdev-is-out": 0,
    "physdev-is-bridged": 0,
  },
  parse(options) {
    if (options.length === 0) refuse("physdev: no physdev option specified");
    const physIn = option(options, "physdev-in");
    const physOut = option(options, "physdev-out");
    return {
      in: physIn && parseInterface(physIn.values[0]!, physIn.negated),
      out: physOut && parseInterface(physOut.values[0]!, physOut.negated),
      isIn: option(options, "physdev-is-in"),
      isOut: option(options, "physdev-is-out"),
      isBridged: option(options, "physdev-is-bridged"),
    };
  },
  print(m) {
    let text = "";
    if (m.isIn) text += `${not(m.isIn.negated)} --physdev-is-in`;
    if (m.in) text += `${not(m.in.negated)} --physdev-in ${printInterface(m.in)}`;
    if (m.isOut) text += `${not(m.isOut.negated)} --physdev-is-out`;
    if (m.out) text += `${not(m.out.negated)} --physdev-out ${printInterface(m.out)}`;
    if (m.isBridged) text += `${not(m.isBridged.negated)} --physdev-is-bridged`;
    return text;
  },
  evaluate: physdevMatches,
  newState: null,
  pure: true,
};

function physdevMatches(m: PhysdevMatch, skb: Skb): boolean {
  const bridge = skb.nfBridge;
  if (bridge === null) {
    const wantsPort = unlessNegated(m.isBridged) || unlessNegated(m.isIn) || unlessNegated(m.isOut);
    return !wantsPort && !unlessNegated(m.in) && !unlessNegated(m.out);
  }
  const indev = bridge.physindev;
  const outdev = bridge.physoutdev;
  if (m.isBridged !== null && (outdev !== null) === m.isBridged.negated) return false;
  if (m.isIn !== null && (indev !== null) === m.isIn.negated) return false;
  if (m.isOut !== null && (outdev !== null) === m.isOut.negated) return false;
  if (m.in !== null && indev !== null && interfaceFits(m.in, indev.name) === m.in.negated) return false;
  if (m.out === null) return true;
  return outdev !== null && interfaceFits(m.out, outdev.name) !== m.out.negated;
}
