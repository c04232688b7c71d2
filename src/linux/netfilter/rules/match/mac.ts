import { refuse } from "../error.ts";
import { type MatchExtension, not, required } from "./extension.ts";

/** A MAC below 2^48 as `aa:bb:cc:dd:ee:ff`. */
const printMac = (mac: number): string =>
  mac
    .toString(16)
    .padStart(12, "0")
    .replace(/..(?=.)/g, "$&:");

/** `-m mac` (net/netfilter/xt_mac.c: mac_mt): the frame's source; never matches where there is no Ethernet header. */
export const mac: MatchExtension<{ readonly mac: number; readonly negated: boolean }> = {
  name: "mac",
  options: { "mac-source": 1 },
  parse(options) {
    const o = required(options, "mac-source", "mac");
    const text = o.values[0]!;
    if (!/^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i.test(text)) refuse(`mac: bad MAC address "${text}"`);
    const digits = text.split(":").map((byte) => byte.padStart(2, "0"));
    return { mac: Number.parseInt(digits.join(""), 16), negated: o.negated };
  },
  print: (m) => `${not(m.negated)} --mac-source ${printMac(m.mac)}`,
  evaluate(m, skb, context) {
    const dev = context.at.in;
    if (dev === null || dev.headerless || dev.kind === "loopback") return false;
    return (skb.packet.smac === m.mac) !== m.negated;
  },
  newState: null,
  pure: true,
};
