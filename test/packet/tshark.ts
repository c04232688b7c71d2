import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Is tshark installed here? */
export const hasTshark = spawnSync("tshark", ["--version"]).status === 0;

/** The protocols that our packets consist of; random ports and payloads would be taken for any other as well. */
const PROTOCOLS = new Set([
  "eth",
  "ethertype",
  "raw",
  "arp",
  "ip",
  "icmp",
  "tcp",
  "udp",
  "sctp",
  "vxlan",
  "data",
]);

const PREFERENCES = [
  "ip.check_checksum:TRUE",
  "tcp.check_checksum:TRUE",
  "udp.check_checksum:TRUE",
  "sctp.checksum:CRC 32c",
  // reassembly would hide the pieces
  "tcp.desegment_tcp_streams:FALSE",
];

let disabledProtocols: string[] | undefined;

/** What tshark says of one packet: of every field asked for all its values, from the outermost packet inwards. */
export type TsharkPacket = Readonly<Record<string, readonly string[]>>;

/**
 * Reads a capture with tshark, which looks for packets inside UDP where we do.
 *
 * @param capture a file's bytes
 * @param fields names of display filter fields
 */
export function readWithTshark(capture: Uint8Array, fields: readonly string[]): TsharkPacket[] {
  disabledProtocols ??= otherProtocols();
  const folder = mkdtempSync(join(tmpdir(), "podpath-tshark-"));
  try {
    writeFileSync(join(folder, "disabled_protos"), disabledProtocols.join("\n"));
    writeFileSync(join(folder, "capture.pcapng"), capture);
    const output = run(
      [
        ...["-n", "-r", join(folder, "capture.pcapng")],
        ...PREFERENCES.flatMap((preference) => ["-o", preference]),
        ...["-d", "udp.port==8472,vxlan", "-d", "udp.port==8285,ip"],
        ...["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"],
        ...fields.flatMap((field) => ["-e", field]),
      ],
      { WIRESHARK_CONFIG_DIR: folder },
    );
    return output
      .split("\n")
      .slice(0, -1)
      .map((line) =>
        Object.fromEntries(
          line.split("\t").map((values, i) => [fields[i]!, values === "" ? [] : values.split(",")]),
        ),
      );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function otherProtocols(): string[] {
  return run(["-G", "protocols"], {})
    .split("\n")
    .map((line) => line.split("\t")[2] ?? "")
    .filter((name) => name !== "" && !PROTOCOLS.has(name) && !name.startsWith("_ws.") && name !== "frame");
}

function run(args: readonly string[], environment: Record<string, string>): string {
  const { status, stdout, stderr } = spawnSync("tshark", args, {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    env: { ...process.env, ...environment },
  });
  if (status !== 0) throw new Error(`tshark ${args.join(" ")}: ${stderr}`);
  return stdout;
}
