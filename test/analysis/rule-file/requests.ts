import type { RuleFileRequest } from "../../../src/analysis/rule-file/request.ts";
import type { RuleTrace } from "../../../src/analysis/rule-file/result.ts";
import { judgePacket, readRuleFile } from "../../../src/analysis/rule-file/rule-file.ts";
import { SeededChooser } from "../../../src/linux/chooser.ts";
import { parseIpv4 } from "../../../src/packet/address.ts";

/** A request in words; see {@link requestOf}. */
export interface Words {
  readonly from?: string;
  readonly to?: string;
  readonly protocol?: RuleFileRequest["protocol"];
  readonly in?: string | null;
  readonly out?: string | null;
  readonly state?: RuleFileRequest["state"];
  readonly mark?: number;
  /** `IP` or `IP%DEVICE`. */
  readonly local?: readonly string[];
}

/** A SYN 10.9.0.1:40000 > 10.9.0.2:80 that comes by eth0 and leaves by eth1, on a machine with 10.9.0.254, unless told otherwise. */
export function requestOf(words: Words = {}): RuleFileRequest {
  const icmp = words.protocol === "icmp";
  const end = (text: string): [number, number] => {
    const [address = "", port = "0"] = text.split(":");
    return [parseIpv4(address), Number(port)];
  };
  const [source, sourcePort] = end(words.from ?? (icmp ? "10.9.0.1" : "10.9.0.1:40000"));
  const [destination, destinationPort] = end(words.to ?? (icmp ? "10.9.0.2" : "10.9.0.2:80"));
  return {
    protocol: words.protocol ?? "tcp",
    source,
    sourcePort,
    destination,
    destinationPort,
    inDevice: words.in === undefined ? "eth0" : words.in,
    outDevice: words.out === undefined ? "eth1" : words.out,
    state: words.state ?? "NEW",
    mark: words.mark ?? 0,
    localAddresses: (words.local ?? ["10.9.0.254"]).map((text) => {
      const [address = "", device = null] = text.split("%");
      return { address: parseIpv4(address), prefixLength: 32, device };
    }),
  };
}

/** Rules of one table or more: lines without COMMIT after each `*TABLE`. */
export const rulesText = (tables: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(tables)
    .map(([table, lines]) => [`*${table}`, ...lines, "COMMIT", ""].join("\n"))
    .join("");

/** Sends a packet through such rules. */
export const judge = (tables: Readonly<Record<string, readonly string[]>>, words: Words = {}): RuleTrace =>
  judgePacket(readRuleFile("test.rules", rulesText(tables)), requestOf(words), new SeededChooser(1));

/** `CHAIN RULE VERDICT` of the rules that matched. */
export const matched = ({ rules }: RuleTrace): string[] =>
  rules.map(({ chain, rule, verdict }) => `${chain} ${rule} ${verdict}`);
