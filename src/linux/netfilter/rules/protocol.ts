import { parseNumber } from "./number-text.ts";

/** Names that iptables knows or finds in /etc/protocols (libxtables/xtables.c: xtables_chain_protos), by number. */
const NAMES: Readonly<Record<number, string>> = {
  1: "icmp",
  2: "igmp",
  3: "ggp",
  4: "ipencap",
  5: "st",
  6: "tcp",
  8: "egp",
  9: "igp",
  12: "pup",
  17: "udp",
  20: "hmp",
  22: "xns-idp",
  27: "rdp",
  29: "iso-tp4",
  33: "dccp",
  36: "xtp",
  37: "ddp",
  38: "idpr-cmtp",
  41: "ipv6",
  43: "ipv6-route",
  44: "ipv6-frag",
  45: "idrp",
  46: "rsvp",
  47: "gre",
  50: "esp",
  51: "ah",
  57: "skip",
  58: "ipv6-icmp",
  59: "ipv6-nonxt",
  60: "ipv6-opts",
  73: "rspf",
  81: "vmtp",
  88: "eigrp",
  89: "ospf",
  93: "ax.25",
  94: "ipip",
  97: "etherip",
  98: "encap",
  103: "pim",
  108: "ipcomp",
  112: "vrrp",
  115: "l2tp",
  124: "isis",
  132: "sctp",
  133: "fc",
  135: "mobility-header",
  136: "udplite",
  137: "mpls-in-ip",
  138: "manet",
  139: "hip",
  140: "shim6",
  141: "wesp",
  142: "rohc",
};

const NUMBERS = new Map(Object.entries(NAMES).map(([number, name]) => [name, Number(number)]));
NUMBERS.set("all", 0);
NUMBERS.set("ip", 0);
NUMBERS.set("icmpv6", 58);
NUMBERS.set("ipv6-mh", 135);
NUMBERS.set("mh", 135);

/** A protocol by name or number; 0 stands for every protocol. */
export function parseProtocol(text: string): number {
  return NUMBERS.get(text.toLowerCase()) ?? parseNumber(text, 255, "protocol");
}

/** A protocol as iptables-save prints it after `-p`. */
export const printProtocol = (protocol: number): string => NAMES[protocol] ?? `${protocol}`;
