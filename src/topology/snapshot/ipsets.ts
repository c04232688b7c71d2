import {
  addAddress,
  addIpPort,
  addNetwork,
  type Ipset,
  type IpsetType,
  newIpset,
} from "../../linux/netfilter/rules/ipset.ts";
import { netmask, parseIpv4 } from "../../packet/address.ts";

const TYPES: readonly IpsetType[] = ["hash:ip", "hash:net", "hash:ip,port"];
const PROTOCOLS: Record<string, number> = { tcp: 6, udp: 17, sctp: 132 };

/** Reads `ipset save`; sets of kinds that are not simulated are left out, and named. */
export function readIpsets(text: string): { sets: Ipset[]; unknown: string[] } {
  const sets = new Map<string, Ipset>();
  const unknown: string[] = [];
  for (const line of text.split("\n")) {
    const [verb, name, value, ...options] = line.trim().split(/\s+/);
    if (name === undefined || value === undefined) continue;
    if (verb === "create") {
      const type = TYPES.find((known) => known === value);
      if (type === undefined || options.includes("inet6")) {
        if (!options.includes("inet6")) unknown.push(`ipset ${name}: ${value} is not simulated`);
      } else sets.set(name, newIpset(name, type));
    } else if (verb === "add") {
      const set = sets.get(name);
      if (set !== undefined) addMember(set, value);
    }
  }
  return { sets: [...sets.values()], unknown };
}

function addMember(set: Ipset, value: string): void {
  const [address, port] = value.split(",");
  if (set.type === "hash:ip") addAddress(set, parseIpv4(address!));
  else if (set.type === "hash:net") {
    const [base, length = "32"] = address!.split("/");
    addNetwork(set, { address: parseIpv4(base!), mask: netmask(Number(length)) });
  } else {
    const [protocol, number] = port?.split(":") ?? [];
    addIpPort(set, parseIpv4(address!), PROTOCOLS[protocol ?? ""] ?? 0, Number(number));
  }
}
