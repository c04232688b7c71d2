import type { Conntrack } from "../../linux/netfilter/conntrack/entry.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { conntrackList } from "../../topology/export/conntrack.ts";
import { type Command, CommandError } from "../session/command.ts";
import { readWords, type Words } from "./words.ts";

const PROTOCOLS: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, sctp: 132 };

/** `conntrack -L|-D|-F [-p PROTOCOL] [-s ADDRESS] [-d ADDRESS] [--dport PORT]` */
export const conntrack: Command = {
  name: "conntrack",
  summary: "a node's connections",
  run(session, args, io) {
    const words = readWords("conntrack", args, {
      dump: { type: "boolean", short: "L" },
      delete: { type: "boolean", short: "D" },
      flush: { type: "boolean", short: "F" },
      proto: { type: "string", short: "p" },
      "orig-src": { type: "string", short: "s" },
      "orig-dst": { type: "string", short: "d" },
      "reply-src": { type: "string", short: "r" },
      "orig-port-dst": { type: "string" },
      dport: { type: "string" },
      sport: { type: "string" },
    });
    const { netns } = session.place;
    const table = netns.netfilter.conntrack;
    const entries = table === null ? [] : [...table.entries()];
    if (words.has("flush")) {
      table?.flush();
      io.err("conntrack v1.4.4 (conntrack-tools): connection tracking table has been emptied.\n");
      return 0;
    }
    if (!words.has("dump") && !words.has("delete"))
      throw new CommandError("conntrack v1.4.4 (conntrack-tools): you have to specify one of -L, -D, -F", 2);
    const chosen = new Set(entries.filter((entry) => fits(entry, words)));
    // the text has a line an entry, in the same order
    const lines = conntrackList(netns).split("\n").slice(0, -1);
    io.out(
      lines
        .filter((_, i) => chosen.has(entries[i]!))
        .map((line) => `${line}\n`)
        .join(""),
    );
    if (words.has("delete")) for (const entry of chosen) table?.remove(entry);
    const done = words.has("delete") ? "deleted" : "shown";
    io.err(`conntrack v1.4.4 (conntrack-tools): ${chosen.size} flow entries have been ${done}.\n`);
    return words.has("delete") && chosen.size === 0 ? 1 : 0;
  },
  complete: () => ["-L", "-D", "-F", "-p", "-s", "-d", "--dport", "tcp", "udp", "icmp"],
};

function fits({ protocol, original, reply }: Conntrack, words: Words): boolean {
  const wanted = words.text("proto");
  if (wanted !== undefined && protocol !== PROTOCOLS[wanted]) return false;
  const is = (flag: string, value: string) => words.text(flag) === undefined || words.text(flag) === value;
  return (
    is("orig-src", formatIpv4(original.src)) &&
    is("orig-dst", formatIpv4(original.dst)) &&
    is("reply-src", formatIpv4(reply.src)) &&
    is("dport", String(original.dport)) &&
    is("orig-port-dst", String(original.dport)) &&
    is("sport", String(original.sport))
  );
}
