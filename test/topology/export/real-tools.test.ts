import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { Bridge } from "../../../src/linux/device/bridge.ts";
import { Tun } from "../../../src/linux/device/tun.ts";
import { addVethPair } from "../../../src/linux/device/veth.ts";
import { Vxlan } from "../../../src/linux/device/vxlan.ts";
import { addAddress, addRoute, setLinkUp } from "../../../src/linux/ip/address.ts";
import type { Netns } from "../../../src/linux/netns.ts";
import { Network } from "../../../src/linux/network.ts";
import { parseIpv4 as ip, parseMac as mac } from "../../../src/packet/address.ts";
import { bridgeFdb } from "../../../src/topology/export/bridge-fdb.ts";
import { conntrackList } from "../../../src/topology/export/conntrack.ts";
import { ipAddr } from "../../../src/topology/export/ip-addr.ts";
import { ipNeigh } from "../../../src/topology/export/ip-neigh.ts";
import { ipRoute } from "../../../src/topology/export/ip-route.ts";
import { send } from "../../../src/trace/send.ts";
import { clusterOf, topologyText } from "../../trace/cluster.ts";

const tools = "ip -V && bridge -V && conntrack -V && ip link add tvx type vxlan id 9 dstport 9 dev lo";
const available = spawnSync("unshare", ["-n", "sh", "-c", tools]).status === 0;
if (!available) console.warn("skipped: unshare -n, iproute2, conntrack or vxlan devices are missing");

/** A node in real life: the commands that make it, and those that show it. Two sleeping processes hold the pods. */
const SCRIPT = `
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add docker0 address 02:42:c0:a8:60:01 type bridge
ip addr add 192.168.96.1/24 dev docker0
ip link set docker0 up
unshare -n sleep 20 & P=$!
unshare -n sleep 20 & Q=$!
sleep 0.3
for N in $P $Q; do nsenter -n -t $N ip link set lo up; nsenter -n -t $N sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1; done
ip link add veth1 address 02:00:00:00:00:11 type veth peer name eth0 netns $P address 02:42:c0:a8:60:02
ip link add veth2 address 02:00:00:00:00:12 type veth peer name eth0 netns $Q address 02:42:c0:a8:60:03
ip link set veth1 master docker0; ip link set veth1 up; nsenter -n -t $P ip link set eth0 up
ip link set veth2 master docker0; ip link set veth2 up
nsenter -n -t $P ip addr add 192.168.96.2/24 dev eth0
nsenter -n -t $P ip route add default via 192.168.96.1
ip link add ens33 address 02:00:00:00:00:13 type veth peer name wire address 02:00:00:00:00:14
ip addr add 10.1.96.233/24 brd 10.1.96.255 dev ens33
ip addr add 10.2.0.1/32 dev ens33
ip addr add 10.1.96.234/24 dev ens33
ip link set ens33 up; ip link set wire up
ip tuntap add dev flannel0 mode tun
ip link set flannel0 mtu 1472
ip addr add 192.168.96.0/16 dev flannel0
ip link set flannel0 up
ip link add flannel.1 address 02:00:00:00:00:15 type vxlan id 1 local 10.1.96.233 dev ens33 dstport 8472 nolearning
ip link set flannel.1 mtu 1450
ip addr add 192.168.95.0/32 dev flannel.1
ip link set flannel.1 up
bridge fdb add 02:00:00:00:00:01 dev flannel.1 dst 10.1.96.232
ip neigh add 192.168.97.0 lladdr 02:00:00:00:00:01 dev flannel.1 nud permanent
ip route add default via 10.1.96.1
ip route add 192.168.97.0/24 via 192.168.97.0 dev flannel.1 onlink
ip route add 192.168.98.0/24 via 10.1.96.232 metric 5
ip route add 192.168.98.0/25 via 10.1.96.231
ip route add blackhole 10.9.0.0/16
ip route add unreachable 10.8.0.0/16
ip route add prohibit 10.7.0.0/16
ip route add 10.6.0.1 dev ens33 src 10.1.96.233
ip route add 10.5.0.0/16 dev ens33 mtu 1400
sleep 0.2
echo '== ip-addr'; ip addr
echo '== ip-route'; ip route
echo '== ip-neigh'; ip neigh
echo '== bridge-fdb'; bridge fdb show
echo '== pod-ip-addr'; nsenter -n -t $P ip addr
echo '== pod-ip-route'; nsenter -n -t $P ip route
kill $P $Q
`;

/** The same node out of our own namespaces. */
function simulated(): { node: Netns; pod: Netns } {
  const network = new Network();
  const node = network.addNetns("node");
  const [pod, other] = [network.addNetns("node/default/a"), network.addNetns("node/default/b")];
  const docker0 = new Bridge(node, "docker0", mac("02:42:c0:a8:60:01"));
  addAddress(docker0, { local: ip("192.168.96.1"), prefixLength: 24 });
  setLinkUp(docker0, true);
  const pair = (name: string, last: number, netns: Netns) =>
    addVethPair(
      { netns: node, name, mac: mac(`02:00:00:00:00:1${last}`) },
      { netns, name: "eth0", mac: mac(`02:42:c0:a8:60:0${last + 1}`) },
    );
  const [veth1, eth0] = pair("veth1", 1, pod);
  const [veth2] = pair("veth2", 2, other);
  for (const veth of [veth1, veth2]) {
    docker0.addPort(veth);
    setLinkUp(veth, true);
  }
  setLinkUp(eth0, true);
  addAddress(eth0, { local: ip("192.168.96.2"), prefixLength: 24 });
  addRoute(pod, { destination: 0, prefixLength: 0, gateway: ip("192.168.96.1") });
  const { ens33 } = addWire(node);
  const tun = new Tun(node, "flannel0", 1472);
  addAddress(tun, { local: ip("192.168.96.0"), prefixLength: 16 });
  setLinkUp(tun, true);
  const vxlan = new Vxlan(node, "flannel.1", mac("02:00:00:00:00:15"), 1450, {
    vni: 1,
    port: 8472,
    local: ip("10.1.96.233"),
    lower: ens33,
    learning: false,
  });
  addAddress(vxlan, { local: ip("192.168.95.0"), prefixLength: 32 });
  setLinkUp(vxlan, true);
  vxlan.fdb.set(mac("02:00:00:00:00:01"), ip("10.1.96.232"));
  node.neighbours.addPermanent(vxlan, ip("192.168.97.0"), mac("02:00:00:00:00:01"));
  const route = (block: string, more: object) => {
    const [address, length] = block.split("/");
    addRoute(node, { destination: ip(address!), prefixLength: Number(length), ...more });
  };
  route("0.0.0.0/0", { gateway: ip("10.1.96.1") });
  route("192.168.97.0/24", { gateway: ip("192.168.97.0"), dev: vxlan, onlink: true });
  route("192.168.98.0/24", { gateway: ip("10.1.96.232"), metric: 5 });
  route("192.168.98.0/25", { gateway: ip("10.1.96.231") });
  for (const [type, block] of [
    [6, "10.9.0.0/16"],
    [7, "10.8.0.0/16"],
    [8, "10.7.0.0/16"],
  ] as const)
    route(block, { type });
  route("10.6.0.1/32", { dev: ens33, prefsrc: ip("10.1.96.233") });
  route("10.5.0.0/16", { dev: ens33, mtu: 1400 });
  return { node, pod };
}

/** A NIC: here one end of a wire whose other end lies in the same namespace. */
function addWire(node: Netns) {
  const [wire, ens33] = addVethPair(
    { netns: node, name: "wire", mac: mac("02:00:00:00:00:14") },
    { netns: node, name: "ens33", mac: mac("02:00:00:00:00:13") },
  );
  addAddress(ens33, { local: ip("10.1.96.233"), prefixLength: 24, broadcast: ip("10.1.96.255") });
  addAddress(ens33, { local: ip("10.2.0.1"), prefixLength: 32 });
  addAddress(ens33, { local: ip("10.1.96.234"), prefixLength: 24 });
  setLinkUp(ens33, true);
  setLinkUp(wire, true);
  return { ens33 };
}

/** What the real tools print, by section. */
function real(): Record<string, string> {
  const { stdout, stderr } = spawnSync("unshare", ["-n", "sh", "-ec", SCRIPT], { encoding: "utf8" });
  const sections = stdout.split(/^== (.+)\n/m).slice(1);
  if (sections.length === 0) throw new Error(stderr);
  return Object.fromEntries(sections.flatMap((name, i) => (i % 2 === 0 ? [[name, sections[i + 1]!]] : [])));
}

const lines = (text: string): string[] => text.split("\n");

/**
 * Without the groups that the IPv6 module joins whether or not a device has IPv6. The order among one device's
 * entries is that of a hash table.
 */
const fdbLines = (text: string): string[] =>
  lines(text)
    .filter((line) => !line.startsWith("33:33:"))
    .sort();

describe.skipIf(!available)("as the real tools print it", () => {
  const shown = available ? real() : {};
  const { node, pod } = simulated();

  it("ip addr", () => {
    expect(lines(ipAddr(node))).toEqual(lines(shown["ip-addr"]!));
    expect(lines(ipAddr(pod))).toEqual(lines(shown["pod-ip-addr"]!));
  });

  it("ip route", () => {
    expect(lines(ipRoute(node))).toEqual(lines(shown["ip-route"]!));
    expect(lines(ipRoute(pod))).toEqual(lines(shown["pod-ip-route"]!));
  });

  it("ip neigh", () => {
    expect(lines(ipNeigh(node))).toEqual(lines(shown["ip-neigh"]!));
  });

  it("bridge fdb", () => {
    // a pod's MAC is learned from its first frame, which here nobody has sent
    const learned = fdbLines(shown["bridge-fdb"]!).filter((line) => !/^02:42:c0:a8:60:0[23] /.test(line));
    expect(fdbLines(bridgeFdb(node))).toEqual(learned);
  });

  it("conntrack -L: what is exported, put into a real table, is printed the same", () => {
    const cluster = clusterOf(topologyText());
    send(cluster, { from: "pod/client", to: "svc/nginx:80" });
    send(cluster, { from: "pod/client", to: "svc/kube-system/kube-dns:dns" });
    send(cluster, { from: "pod/client", to: "pod/client2", protocol: "icmp" });
    send(cluster, { from: "pod/client", to: "pod/client2:7" });
    send(cluster, { from: "pod/client", to: "pod/client2:7", protocol: "udp", ttl: 2 });
    const ours = lines(conntrackList(cluster.node("srv-k8s-node1").netns).trimEnd());
    expect(ours.length).toBeGreaterThanOrEqual(5);
    const script = `${ours.map(insertion).join("\n")}\nconntrack -L 2>/dev/null`;
    const { stdout, stderr } = spawnSync("unshare", ["-n", "sh", "-ec", script], { encoding: "utf8" });
    expect(stdout, stderr).not.toBe("");
    expect(lines(stdout.trimEnd()).map(withoutTimeout).sort()).toEqual(ours.map(withoutTimeout).sort());
  });
});

/** The seconds left run on in the real table. */
const withoutTimeout = (line: string): string => line.replace(/^(\S+ +\d+) \d+/, "$1 N");

/** The command that puts an entry as `conntrack -L` prints it into the table. */
function insertion(line: string): string {
  const [protocol, , seconds, state] = line.split(/ +/);
  const field = (name: string, nth: number) =>
    [...line.matchAll(new RegExp(`${name}=(\\S+)`, "g"))][nth]?.[1];
  const [src, dst, replySrc, replyDst] = [field("src", 0), field("dst", 0), field("src", 1), field("dst", 1)];
  const words = [
    `conntrack -I -p ${protocol} -t ${seconds} -s ${src} -d ${dst} -r ${replySrc} -q ${replyDst}`,
  ];
  if (protocol === "icmp")
    words.push(`--icmp-type ${field("type", 0)} --icmp-code ${field("code", 0)} --icmp-id ${field("id", 0)}`);
  else {
    words.push(`--sport ${field("sport", 0)} --dport ${field("dport", 0)}`);
    words.push(`--reply-port-src ${field("sport", 1)} --reply-port-dst ${field("dport", 1)}`);
  }
  if (protocol === "tcp") words.push(`--state ${state}`);
  const status = [
    ...(line.includes("[UNREPLIED]") ? [] : ["SEEN_REPLY"]),
    ...(line.includes("[ASSURED]") ? ["ASSURED"] : []),
  ];
  if (status.length > 0) words.push(`-u ${status.join(",")}`);
  return `${words.join(" ")} >/dev/null 2>&1`;
}
