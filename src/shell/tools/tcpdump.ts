import { type Command, CommandError } from "../session/command.ts";
import { tcpdumpLine } from "./tcpdump-line.ts";
import { readWords } from "./words.ts";

/** Link types of devices, as tcpdump names them. */
const ETHERNET = "EN10MB (Ethernet)";
const RAW = "RAW (Raw IP)";

/**
 * `tcpdump -ni DEVICE [-c COUNT] [-e]`: what has crossed the device since the session, or the last tcpdump on it, began.
 * Words behind the options are a filter of `host A`, `port N`, `tcp`, `udp`, `icmp` and `arp`, joined by `and`.
 */
export const tcpdump: Command = {
  name: "tcpdump",
  summary: "what has crossed a device",
  run(session, args, io) {
    const words = readWords("tcpdump", args, {
      numeric: { type: "boolean", short: "n" },
      interface: { type: "string", short: "i" },
      count: { type: "string", short: "c" },
      link: { type: "boolean", short: "e" },
      verbose: { type: "boolean", short: "v" },
      quiet: { type: "boolean", short: "q" },
      lines: { type: "boolean", short: "l" },
    });
    const { netns } = session.place;
    const name = words.text("interface") ?? [...netns.devices.keys()].find((one) => one !== "lo") ?? "lo";
    const device = netns.devices.get(name);
    if (device === undefined)
      throw new CommandError(`tcpdump: ${name}: No such device exists\n(SIOCGIFHWADDR: No such device)`);
    io.err("tcpdump: verbose output suppressed, use -v or -vv for full protocol decode\n");
    io.err(
      `listening on ${name}, link-type ${device.headerless ? RAW : ETHERNET}, capture size 262144 bytes\n`,
    );
    const limit = words.number("count", Number.MAX_SAFE_INTEGER);
    const filter = words.positionals.join(" ").toLowerCase();
    const lines = session.capture
      .on(netns.name, name)
      .map((event) => tcpdumpLine(event, session.plane.epoch, words.has("link")))
      .filter((line) => passes(line, filter))
      .slice(0, limit);
    io.out(lines.map((line) => `${line}\n`).join(""));
    io.err(
      `${lines.length} packets captured\n${lines.length} packets received by filter\n0 packets dropped by kernel\n`,
    );
    session.capture.restart(netns.name, name);
    return 0;
  },
  complete: (session) => ["-ni", "-c", ...session.place.netns.devices.keys()],
};

/** Judged by the line: what tcpdump would see is what it prints. */
function passes(line: string, filter: string): boolean {
  if (filter === "") return true;
  return filter.split(/\s+and\s+/).every((part) => {
    const isNot = /^(not|!)\s+/.test(part);
    return primitive(line, part.replace(/^(not|!)\s+/, "")) !== isNot;
  });
}

function primitive(line: string, part: string): boolean {
  const [first = "", ...rest] = part.replace(/^(src|dst)\s+/, "").split(/\s+/);
  const value = rest.at(-1) ?? "";
  switch (first) {
    case "host":
      return new RegExp(`(^|[ >])${value.replaceAll(".", "\\.")}([.:, ]|$)`).test(line);
    case "port":
      return new RegExp(`\\.${value}[ :]`).test(line);
    case "tcp":
      return line.includes("Flags [") && (rest.length === 0 || primitive(line, rest.join(" ")));
    case "udp":
      return line.includes("UDP") && (rest.length === 0 || primitive(line, rest.join(" ")));
    case "icmp":
      return line.includes("ICMP");
    case "arp":
      return line.includes("ARP");
    case "ip":
      return line.includes(" IP ");
    default:
      throw new CommandError("tcpdump: syntax error in filter expression");
  }
}
