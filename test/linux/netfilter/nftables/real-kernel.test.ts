import { spawnSync } from "node:child_process";
import type { Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { describe, expect, it } from "vitest";
import { completeKubeProxyConfiguration } from "../../../../src/cluster/kube-proxy/configuration.ts";
import { nftProxier } from "../../../../src/cluster/kube-proxy/nftables/proxier.ts";
import { fullNftSync, nftRules } from "../../../../src/cluster/kube-proxy/nftables/sync.ts";
import { proxyNode } from "../../../../src/cluster/kube-proxy/node.ts";
import { proxyState } from "../../../../src/cluster/kube-proxy/proxy-state.ts";
import { Dummy } from "../../../../src/linux/device/dummy.ts";
import { addAddress, addRoute, setLinkUp } from "../../../../src/linux/ip/address.ts";
import { applyNft } from "../../../../src/linux/netfilter/nftables/transaction.ts";
import { Network } from "../../../../src/linux/network.ts";
import { formatIpv4, parseIpv4 } from "../../../../src/packet/address.ts";

/**
 * kube-proxy's table in a namespace of its own, under the real kernel and under ours: a node 192.168.0.2 with a device that
 * swallows everything sends UDP to addresses; what became of each is read from the connections and from errors.
 */

const port = (nodePort?: number) => [
  { port: 80, protocol: "UDP", ...(nodePort === undefined ? {} : { nodePort }) },
];
const services: Service[] = [
  { metadata: { name: "three" }, spec: { clusterIP: "172.30.0.1", ports: port() } },
  { metadata: { name: "none" }, spec: { clusterIP: "172.30.0.2", ports: port() } },
  {
    metadata: { name: "sticky" },
    spec: { clusterIP: "172.30.0.3", ports: port(), sessionAffinity: "ClientIP" },
  },
  { metadata: { name: "node" }, spec: { type: "NodePort", clusterIP: "172.30.0.4", ports: port(30080) } },
  {
    metadata: { name: "local" },
    spec: { type: "NodePort", clusterIP: "172.30.0.5", ports: port(30081), externalTrafficPolicy: "Local" },
  },
  {
    metadata: { name: "inside" },
    spec: { clusterIP: "172.30.0.6", ports: port(), internalTrafficPolicy: "Local" },
  },
];
const slice = (name: string, ...addresses: readonly string[]): EndpointSlice => ({
  metadata: { name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "", port: 8080, protocol: "UDP" }],
  endpoints: addresses.map((address) => ({ addresses: [address], nodeName: "elsewhere" })),
});
const slices = [
  slice("three", "10.180.0.1", "10.180.0.2", "10.180.0.3"),
  slice("sticky", "10.180.0.1", "10.180.0.2", "10.180.0.3"),
  slice("node", "10.180.0.4"),
  slice("local", "10.180.0.5"),
  slice("inside", "10.180.0.6"),
];

const NODE = "192.168.0.2";
const node = proxyNode(
  { metadata: { name: "here" }, status: { addresses: [{ type: "InternalIP", address: NODE }] } },
  ["127.0.0.1", NODE],
);
const proxier = nftProxier(completeKubeProxyConfiguration({ clusterCIDR: "10.180.0.0/16" }), node);
const text = fullNftSync(nftRules(proxyState(services, slices), proxier), proxier);

const TARGETS = [
  ["172.30.0.1", 80],
  ["172.30.0.1", 81],
  ["172.30.0.2", 80],
  ["172.30.0.3", 80],
  ["172.30.0.4", 80],
  [NODE, 30080],
  [NODE, 30081],
  [NODE, 30082],
  ["172.30.0.6", 80],
  ["172.30.0.77", 80],
] as const;
const PACKETS = 40;

/** By target: where packets went (`address:port`), or `refused`, or `lost`. */
type Outcomes = Record<string, string[]>;

const PYTHON = `
import json, re, socket, subprocess, sys
targets, packets = json.load(sys.stdin)
outcomes = {}
for address, port in targets:
    seen = set()
    subprocess.run(["conntrack", "-F"], capture_output=True)
    for i in range(packets):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(0.0)
        s.connect((address, port))
        # a refused send fails with EPERM; that it was refused and not lost, the next one hears
        errors = set()
        for _ in range(3):
            try:
                s.send(b"x")
            except OSError as error:
                errors.add(type(error).__name__)
        if "ConnectionRefusedError" in errors:
            seen.add("refused")
        elif errors:
            seen.add("lost")
        s.close()
    # errors come at a limited rate
    if "refused" in seen:
        seen.discard("lost")
    table = subprocess.run(["conntrack", "-L", "-p", "udp"], capture_output=True, text=True).stdout
    for line in table.splitlines():
        m = re.search(r"dst=(\\S+) sport=\\d+ dport=(\\d+).*?src=(\\S+) dst=\\S+ sport=(\\d+)", line)
        if m and m.group(1) == address and m.group(2) == str(port) and "refused" not in seen:
            seen.add(m.group(3) + ":" + m.group(4))
    outcomes[f"{address}:{port}"] = sorted(seen)
print(json.dumps(outcomes))
`;

function real(): Outcomes {
  // no limit on errors: a fast machine would run into it in the middle of the targets
  const script = `echo 0 >/proc/sys/net/ipv4/icmp_ratemask; ip link set lo up; ip link add veth0 type veth peer name veth1; ip link set veth0 arp off
ip addr add ${NODE}/24 dev veth0; ip link set veth0 up; ip link set veth1 up; ip route add default dev veth0; printf %s "$RULES" | nft -f - && printf %s "$TARGETS" | python3 -c "$PYTHON"`;
  const { stdout, stderr, status } = spawnSync("unshare", ["-n", "sh", "-c", script], {
    encoding: "utf8",
    env: { ...process.env, RULES: text, PYTHON, TARGETS: JSON.stringify([TARGETS, PACKETS]) },
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Outcomes;
}

function simulated(): Outcomes {
  const network = new Network({ seed: 1 });
  const netns = network.addNetns("here");
  const dummy = new Dummy(netns, "dummy0", 0x020000000001);
  setLinkUp(dummy, true);
  addAddress(dummy, { local: parseIpv4(NODE), prefixLength: 24 });
  addRoute(netns, { destination: 0, prefixLength: 0, dev: dummy });
  netns.netfilter.installNftables(applyNft(null, text));
  const conntrack = netns.netfilter.conntrack!;
  const outcomes: Outcomes = {};
  for (const [address, destinationPort] of TARGETS) {
    const seen = new Set<string>();
    network.recorder = {
      record(event) {
        if (event.type === "origin" && event.kind === "icmp-error") seen.add("refused");
      },
    };
    for (let i = 0; i < PACKETS; i++) {
      const { errno } = netns.sockets.udp.send({
        destination: parseIpv4(address),
        destinationPort,
        sourcePort: 20000 + i,
        payloadLength: 1,
      });
      network.settle();
      if (errno === "EPERM" && !seen.has("refused")) seen.add("lost");
    }
    network.recorder = null;
    if (!seen.has("refused"))
      for (const { reply, original } of conntrack.entries())
        if (original.dst === parseIpv4(address)) seen.add(`${formatIpv4(reply.src)}:${reply.sport}`);
    conntrack.flush();
    outcomes[`${address}:${destinationPort}`] = [...seen].sort();
  }
  return outcomes;
}

const isAble =
  spawnSync("unshare", [
    "-n",
    "sh",
    "-c",
    "ip link add veth0 type veth peer name veth1 && nft list tables && conntrack -L && python3 -V",
  ]).status === 0;

describe("kube-proxy's table in nftables mode", () => {
  it("does to a node's packets what is expected of it", () => {
    const { "172.30.0.3:80": sticky, ...others } = simulated();
    expect(sticky).toHaveLength(1);
    expect(others).toEqual({
      "172.30.0.1:80": ["10.180.0.1:8080", "10.180.0.2:8080", "10.180.0.3:8080"],
      "172.30.0.1:81": ["refused"],
      "172.30.0.2:80": ["refused"],
      "172.30.0.4:80": ["10.180.0.4:8080"],
      "172.30.0.6:80": ["lost"],
      "172.30.0.77:80": ["172.30.0.77:80"],
      "192.168.0.2:30080": ["10.180.0.4:8080"],
      "192.168.0.2:30081": expect.anything(),
      "192.168.0.2:30082": ["refused"],
    });
  });

  it.skipIf(!isAble)(
    "does what the real kernel does (skipped without root, nft, conntrack or python3)",
    () => {
      const { "172.30.0.3:80": stickyHere, ...here } = simulated();
      const { "172.30.0.3:80": stickyThere, ...there } = real();
      expect(here).toEqual(there);
      // one of three, each by its own chance
      expect([stickyHere?.length, stickyThere?.length]).toEqual([1, 1]);
    },
  );
});
