import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatIpv4, parseIpv4 } from "../../../src/packet/address.ts";
import { TopologyError } from "../../../src/topology/load/fault.ts";
import { buildSnapshots, type SnapshotCluster } from "../../../src/topology/snapshot/build.ts";
import { COLLECT_SCRIPT } from "../../../src/topology/snapshot/collect-script.ts";
import { readSnapshot, snapshotFolders } from "../../../src/topology/snapshot/files.ts";

const has = (tool: string): boolean => spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;
const able =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  ["ip", "bridge", "iptables-nft-restore", "conntrack", "ss"].every(has);
if (!able)
  process.stderr.write(
    "snapshots of real namespaces: skipped, they need Linux, root, iproute2, iptables and conntrack\n",
  );

/** A node with one pod, as docker and kube-proxy would have set them up, in namespaces of their own. */
const SETUP = `
set -e
N=pptest$$n; P=pptest$$p; W=pptest$$w
cleanup() { for ns in $N $P $W; do ip netns del $ns 2>/dev/null || true; done; }
trap cleanup EXIT
for ns in $N $P $W; do ip netns add $ns; ip -n $ns link set lo up; done
ip -n $N link add docker0 address 02:42:00:00:00:01 type bridge
ip -n $N addr add 192.168.96.1/24 dev docker0; ip -n $N link set docker0 up
ip -n $N link add veth1 type veth peer name eth0 netns $P
ip -n $N link set veth1 master docker0 up; ip -n $N link set veth1 type bridge_slave hairpin on
ip -n $P link set eth0 up; ip -n $P addr add 192.168.96.2/24 dev eth0; ip -n $P route add default via 192.168.96.1
ip -n $N link add ens33 type veth peer name wire netns $W
ip -n $N addr add 10.1.96.233/24 brd + dev ens33; ip -n $N link set ens33 up; ip -n $W link set wire up
ip -n $N route add 192.168.97.0/24 via 10.1.96.232; ip -n $N route add blackhole 10.9.0.0/16 metric 7
ip -n $N neigh add 10.1.96.232 lladdr 02:00:00:00:00:07 dev ens33 nud permanent
ip netns exec $N sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.docker0.rp_filter=2
ip netns exec $N iptables-nft-restore -c <<'RULES'
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
[5:300] -A PREROUTING -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.96.2:8080
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -i docker0 -o docker0 -j ACCEPT
COMMIT
RULES
ip netns exec $N conntrack -I -p tcp --state ESTABLISHED -t 1000 -s 192.168.96.2 -d 10.96.0.10 --sport 4000 --dport 80 --reply-src 192.168.96.2 --reply-dst 192.168.96.1 --reply-port-src 8080 --reply-port-dst 5000 -u SEEN_REPLY,ASSURED >/dev/null 2>&1
PODPATH_NODE=node1 ip netns exec $N sh "$1" "$2"
echo "$P"
`;

describe.skipIf(!able)("a node that was collected", () => {
  const folder = mkdtempSync(join(tmpdir(), "podpath-collect-"));
  let cluster: SnapshotCluster;
  let pod = "";

  beforeAll(() => {
    writeFileSync(join(folder, "collect.sh"), COLLECT_SCRIPT);
    const { status, stdout, stderr } = spawnSync(
      "sh",
      ["-c", SETUP, "setup", join(folder, "collect.sh"), join(folder, "node1")],
      {
        encoding: "utf8",
        timeout: 25_000,
      },
    );
    expect(stderr).toBe("");
    expect(status).toBe(0);
    pod = stdout.trim().split("\n").at(-1)!;
    cluster = buildSnapshots([readSnapshot(join(folder, "node1"))]);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it("is found in its folder, and in the folder of that", () => {
    expect(snapshotFolders(folder)).toEqual([join(folder, "node1")]);
    expect(snapshotFolders(join(folder, "node1"))).toEqual([join(folder, "node1")]);
  });

  it("has its own namespace and its pod's, and no other of the machine", () => {
    expect([...cluster.network.namespaces.keys()]).toEqual(["node1", `node1/default/${pod}`]);
    expect(cluster.model.pods.map(({ ip }) => ip)).toEqual(["192.168.96.2"]);
    expect(cluster.warnings).toEqual([]);
  });

  it("has its devices, addresses, hairpin port and settings", () => {
    const node = cluster.network.netns("node1");
    expect([...node.devices.values()].map(({ name, kind, up }) => `${name} ${kind} ${up}`)).toEqual([
      "lo loopback true",
      "docker0 bridge true",
      "veth1 veth true",
      "ens33 nic true",
    ]);
    expect(node.device("veth1").port?.hairpin).toBe(true);
    expect(formatIpv4(node.device("ens33").addresses[0]!.broadcast!)).toBe("10.1.96.255");
    expect(node.sysctl.get("net.ipv4.ip_forward")).toBe(1);
    expect(node.sysctl.get("net.ipv4.conf.docker0.rp_filter")).toBe(2);
  });

  it("has its routes and neighbours", () => {
    const node = cluster.network.netns("node1");
    expect(node.fib.lookup(parseIpv4("192.168.97.9"))?.gateway).toBe(parseIpv4("10.1.96.232"));
    expect(node.fib.lookup(parseIpv4("10.9.1.1"))).toMatchObject({ type: 6, metric: 7 });
    expect(node.neighbours.find(node.device("ens33"), parseIpv4("10.1.96.232"))?.state).toBe("PERMANENT");
  });

  it("has its rules with their counters, and its connections", () => {
    const node = cluster.network.netns("node1");
    expect(node.netfilter.save({ counters: true })).toContain("[5:300] -A PREROUTING -j KUBE-SERVICES");
    const [connection] = [...node.netfilter.conntrack!.entries()];
    expect(connection).toMatchObject({
      original: { src: parseIpv4("192.168.96.2"), dst: parseIpv4("10.96.0.10"), sport: 4000, dport: 80 },
      reply: { src: parseIpv4("192.168.96.2"), dst: parseIpv4("192.168.96.1"), sport: 8080, dport: 5000 },
      tcpState: 3,
    });
  });

  it("handles a packet as the node would: FORWARD's policy drops what leaves by ens33", () => {
    const { network } = cluster;
    const drops: string[] = [];
    network.recorder = {
      record: (event) =>
        void (event.type === "drop" && drops.push(`${event.netns} ${event.chain} ${event.reason}`)),
    };
    network.netns(`node1/default/${pod}`).sockets.udp.send({
      destination: parseIpv4("10.1.96.9"),
      destinationPort: 9,
      sourcePort: 9,
      payloadLength: 0,
    });
    network.settle();
    expect(drops).toEqual(["node1 FORWARD NETFILTER_DROP"]);
  });
});

describe("a folder that is no snapshot", () => {
  const folder = mkdtempSync(join(tmpdir(), "podpath-broken-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is not taken for one", () => {
    expect(snapshotFolders(folder)).toEqual([]);
  });

  it("is refused with the file and the field when a tool's output is not what it should be", () => {
    writeFileSync(join(folder, "node-snapshot.json"), '{"kind":"NodeSnapshot","metadata":{"name":"n"}}');
    writeFileSync(join(folder, "link.json"), '[{"ifindex":"one"}]');
    expect(() => readSnapshot(folder)).toThrow(TopologyError);
    expect(() => readSnapshot(folder)).toThrow(/link\.json:1: link\.json 0\.ifindex: /);
  });
});
