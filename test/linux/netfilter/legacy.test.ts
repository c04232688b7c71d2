import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { loadLegacy } from "../../../src/linux/netfilter/legacy.ts";
import { Network } from "../../../src/linux/network.ts";
import type { NetworkEvent } from "../../../src/linux/recorder.ts";
import { parseIpv4 } from "../../../src/packet/address.ts";

const PORTS = [9000, 9001, 9002];

/** Who answers on loopback port 9000: a port's number, or null when nobody does. */
function answering(nft: string, legacy: string): number | null {
  const netns = new Network().addNetns("host");
  for (const port of PORTS) netns.sockets.listen({ protocol: "tcp", port });
  netns.netfilter.load(nft);
  loadLegacy(netns, legacy);
  const events: NetworkEvent[] = [];
  netns.network.recorder = { record: (event) => void events.push(event) };
  netns.sockets.tcp.connect({
    destination: parseIpv4("127.0.0.1"),
    destinationPort: 9000,
    sourcePort: 40000,
  });
  netns.network.settle();
  const delivered = events.find((event) => event.type === "deliver");
  return delivered?.type === "deliver" ? delivered.packet.dport : null;
}

const table = (name: string, ...rules: string[]): string =>
  rules.length === 0 ? "" : `*${name}\n${rules.join("\n")}\nCOMMIT\n`;
const filter = (...rules: string[]): string => table("filter", ...rules);
const redirect = (port: number): string =>
  table("nat", `-A OUTPUT -p tcp -m tcp --dport 9000 -j REDIRECT --to-ports ${port}`);
const ACCEPT = "-A INPUT -p tcp -m tcp --dport 9000 -j ACCEPT";
const DROP = "-A INPUT -p tcp -m tcp --dport 9000 -j DROP";

/** [what is so, nf_tables' rules, iptables-legacy's rules, who answers] */
const CASES: readonly (readonly [string, string, string, number | null])[] = [
  ["both accept", filter(ACCEPT), filter(ACCEPT), 9000],
  ["nf_tables' accept does not save what legacy drops", filter(ACCEPT), filter(DROP), null],
  ["nor legacy's what nf_tables drops", filter(DROP), filter(ACCEPT), null],
  ["legacy's policy counts too", filter(ACCEPT), filter(":INPUT DROP [0:0]"), null],
  ["only nf_tables translates", redirect(9001), filter(ACCEPT), 9001],
  ["only legacy translates", filter(ACCEPT), redirect(9002), 9002],
  ["both would: who came last decides", redirect(9001), redirect(9002), 9002],
];

describe("iptables-legacy beside nf_tables", () => {
  it.each(CASES)("%s", (_, nft, legacy, expected) => {
    expect(answering(nft, legacy)).toBe(expected);
  });

  it("tells rules and drops of its tables under their own names", () => {
    const netns = new Network().addNetns("host");
    loadLegacy(netns, filter(DROP));
    const events: NetworkEvent[] = [];
    netns.network.recorder = { record: (event) => void events.push(event) };
    netns.sockets.tcp.connect({
      destination: parseIpv4("127.0.0.1"),
      destinationPort: 9000,
      sourcePort: 40000,
    });
    netns.network.settle();
    expect(events.find((event) => event.type === "drop")).toMatchObject({
      reason: "NETFILTER_DROP",
      table: "legacy filter",
      chain: "INPUT",
      rule: 1,
    });
    expect(netns.netfilter.save()).toBe("");
  });
});

/** The same on the real kernel: rules on standard input as JSON, the port that answers on standard output. */
const KERNEL = `
import json, socket, subprocess, sys, threading
nft, legacy = json.load(sys.stdin)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
for port in (9000, 9001, 9002):
    server = socket.socket()
    server.bind(("127.0.0.1", port))
    server.listen()
    def serve(server=server, port=port):
        while True:
            connection, _ = server.accept()
            connection.sendall(str(port).encode())
            connection.close()
    threading.Thread(target=serve, daemon=True).start()
for tool, rules in (("nft", nft), ("legacy", legacy)):
    if rules:
        subprocess.run(["iptables-" + tool + "-restore"], input=rules, text=True, check=True, stderr=subprocess.DEVNULL)
try:
    with socket.create_connection(("127.0.0.1", 9000), timeout=0.3) as client:
        print(client.recv(10).decode())
except TimeoutError:
    print("null")
`;

const hasKernel =
  process.getuid?.() === 0 &&
  ["unshare", "python3", "ip", "iptables-nft-restore", "iptables-legacy-restore"].every(
    (tool) => spawnSync("which", [tool]).status === 0,
  );

describe.skipIf(!hasKernel)(
  "the kernel, in a namespace of its own (root, iptables-nft and iptables-legacy)",
  () => {
    it.each(CASES)("%s", (_, nft, legacy, expected) => {
      const input = JSON.stringify([nft, legacy]);
      const { stdout } = spawnSync("unshare", ["-n", "python3", "-c", KERNEL], { input, encoding: "utf8" });
      expect(JSON.parse(stdout)).toBe(expected);
    });
  },
);
