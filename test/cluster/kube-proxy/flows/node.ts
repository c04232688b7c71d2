/**
 * A node in the simulated kernel with nothing on it but kube-proxy, and a vocabulary for what becomes of packets:
 *
 *   pods here 192.168.97.0/24 ── docker0 ┐
 *                                        ├ node1, 10.1.96.232
 *   everybody else ────────────── eth0 ──┘
 *
 * Both devices end in nothing, so a packet that leaves by one has been let through as it then is.
 */
import type { Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { describe, expect, it } from "vitest";
import { exploreBranches } from "../../../../src/analysis/explore/branching-chooser.ts";
import {
  completeKubeProxyConfiguration,
  type PartialKubeProxyConfiguration,
} from "../../../../src/cluster/kube-proxy/configuration.ts";
import type { ProxyNode } from "../../../../src/cluster/kube-proxy/node.ts";
import { proxier } from "../../../../src/cluster/kube-proxy/proxier.ts";
import { generateRestore } from "../../../../src/cluster/kube-proxy/restore.ts";
import { ensureJumps, JUMPS, type Jump, kubeProxySysctls } from "../../../../src/cluster/kube-proxy/setup.ts";
import { type Chooser, SeededChooser } from "../../../../src/linux/chooser.ts";
import { Tun } from "../../../../src/linux/device/tun.ts";
import { addAddress, addRoute, setLinkUp } from "../../../../src/linux/ip/address.ts";
import { applyRestore } from "../../../../src/linux/netfilter/rules/restore.ts";
import type { RuleSet } from "../../../../src/linux/netfilter/rules/rule-set.ts";
import type { Netns } from "../../../../src/linux/netns.ts";
import { Network } from "../../../../src/linux/network.ts";
import type { NetworkEvent } from "../../../../src/linux/recorder.ts";
import { formatIpv4, parseIpv4 } from "../../../../src/packet/address.ts";
import { IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP, Packet, TCP_SYN } from "../../../../src/packet/packet.ts";
import { NODE } from "../cluster.ts";

/** What kube-proxy is told. */
export interface Situation {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly config?: PartialKubeProxyConfiguration;
  readonly node?: Partial<ProxyNode>;
}

const FLOW_PROTOCOLS = { tcp: IPPROTO_TCP, udp: IPPROTO_UDP, sctp: IPPROTO_SCTP } as const;
export type FlowProtocol = keyof typeof FLOW_PROTOCOLS;

const configOf = ({ config }: Situation) =>
  completeKubeProxyConfiguration({ clusterCIDR: "192.168.0.0/16", ...config });

/** kube-proxy's rules with its jumps, as a node of nothing else holds them. */
export function rulesFor(situation: Situation): RuleSet {
  const restore = generateRestore({
    services: situation.services,
    endpointSlices: situation.slices,
    node: { ...NODE, ...situation.node },
    config: configOf(situation),
  });
  return applyRestore(applyRestore(null, jumpsText(JUMPS), { noflush: false }), restore, { noflush: true });
}

/** What kube-proxy ensures in tables that hold nothing else, as text for iptables-restore. */
export function jumpsText(jumps: readonly Jump[]): string {
  const lines = ["filter", "nat"].flatMap((table) => {
    const own = jumps.filter((one) => one.table === table);
    const froms = [...new Set(own.map(({ from }) => from))];
    return [
      `*${table}`,
      ...new Set(own.map(({ to }) => `:${to} - [0:0]`)),
      ...froms.flatMap((from) =>
        ensureJumps([], own[0]!.table, from, jumps).map((rule) => `-A ${from} ${rule}`),
      ),
      "COMMIT",
    ];
  });
  return `${lines.join("\n")}\n`;
}

/** The node, running: packets come and go while its connections and lists remember. */
export class FlowNode {
  readonly network: Network;
  readonly netns: Netns;
  private readonly pods: Tun;
  private readonly wire: Tun;
  private events: NetworkEvent[] = [];
  private left: { packet: Packet; serial: number }[] = [];

  constructor(situation: Situation, rules: RuleSet, chooser: Chooser = new SeededChooser(1)) {
    this.network = new Network({ chooser });
    this.netns = this.network.addNetns("node1");
    const config = configOf(situation);
    const sysctls = kubeProxySysctls(config, proxier(config, { ...NODE, ...situation.node }), 2);
    for (const [name, value] of Object.entries({ ...sysctls, "net.ipv4.ip_forward": 1 }))
      this.netns.sysctl.set(name, value);
    this.wire = this.device("eth0", "10.1.96.232");
    this.pods = this.device("docker0", "192.168.97.1");
    addRoute(this.netns, {
      destination: 0,
      prefixLength: 0,
      gateway: parseIpv4("10.1.96.1"),
      dev: this.wire,
    });
    this.netns.netfilter.install(rules);
    this.network.recorder = { record: (event) => void this.events.push(event) };
  }

  private device(name: string, address: string): Tun {
    const dev = new Tun(this.netns, name, 1500);
    dev.owner = { read: (packet, serial) => void this.left.push({ packet, serial }) };
    setLinkUp(dev, true);
    addAddress(dev, { local: parseIpv4(address), prefixLength: 24 });
    return dev;
  }

  /** kube-proxy syncs. */
  install(rules: RuleSet): void {
    this.netns.netfilter.install(rules);
  }

  /**
   * Sends the first packet of a flow, or another one of it, and says where it went: `IP:PORT`, with ` masq` when a
   * MASQUERADE rule decided its source; `node IP:PORT` when it came to the node itself; `rejected`; `dropped`.
   * A source without a port has 40000. The node's own addresses send from the node.
   */
  send(from: string, to: string, protocol: FlowProtocol = "tcp"): string {
    const [address = "", sport = "40000"] = from.split(":");
    const [destination = "", dport = ""] = to.split(":");
    const source = parseIpv4(address);
    this.events = [];
    this.left = [];
    const own = address.startsWith("127.") || NODE.interfaceAddresses.includes(address);
    if (own) this.sendLocally(protocol, parseIpv4(destination), Number(dport), Number(sport), source);
    else {
      const packet = new Packet();
      packet.protocol = FLOW_PROTOCOLS[protocol];
      packet.src = source;
      packet.dst = parseIpv4(destination);
      packet.sport = Number(sport);
      packet.dport = Number(dport);
      packet.tcpFlags = protocol === "tcp" ? TCP_SYN : 0;
      packet.window = 64240;
      const dev = address.startsWith("192.168.97.") ? this.pods : this.wire;
      dev.write(packet, this.network.nextSerial());
    }
    this.network.run();
    return this.outcome(source);
  }

  private sendLocally(
    protocol: FlowProtocol,
    destination: number,
    port: number,
    sourcePort: number,
    source: number,
  ): void {
    const { tcp, udp } = this.netns.sockets;
    const to = { destination, destinationPort: port, sourcePort, source };
    if (protocol === "tcp") tcp.connect(to);
    else udp.send({ ...to, payloadLength: 10 });
  }

  private outcome(source: number): string {
    const first = this.events.find(({ serial }) => serial !== 0)!.serial;
    const sent = this.left.find(({ serial }) => serial === first);
    if (sent !== undefined) {
      const { src, dst, dport } = sent.packet;
      const masqueraded = this.events.some(
        (event) => event.serial === first && event.type === "rule" && event.target === "MASQUERADE",
      );
      // a node that sends by its own device becomes what it was
      const node = NODE.interfaceAddresses.includes(formatIpv4(src));
      if (masqueraded ? !node : src !== source) throw new Error(`${formatIpv4(src)} is an odd source`);
      return `${formatIpv4(dst)}:${dport}${masqueraded ? " masq" : ""}`;
    }
    const end = this.events.find((event) => event.serial === first && event.type === "drop");
    if (end?.type !== "drop") throw new Error("the packet neither left nor ended");
    if (end.reason === "NETFILTER_DROP") return end.detail === "REJECT" ? "rejected" : "dropped";
    if (end.reason === "NO_SOCKET" || end.reason === "IP_NOPROTO")
      return `node ${formatIpv4(end.packet.dst)}:${end.packet.dport}`;
    return `${end.reason} in ${end.location}`;
  }
}

/** Everywhere that the first packet of a flow can go, whatever chance says, in text order. */
function destinations(
  situation: Situation,
  rules: RuleSet,
  [from, to, protocol]: readonly [string, string, FlowProtocol?],
): string {
  const branches = exploreBranches((chooser) =>
    new FlowNode(situation, rules, chooser).send(from, to, protocol),
  );
  return [...new Set(branches.map(({ outcome }) => outcome))].sort().join(" | ");
}

/** What it is about, source, destination, where it may go (` | ` between), and the protocol when it is not TCP. */
export type FlowRow = readonly [
  what: string,
  from: string,
  to: string,
  goes: string,
  protocol?: FlowProtocol,
];

/** One test a flow. */
export function describeFlows(title: string, situation: Situation, rows: readonly FlowRow[]): void {
  describe(title, () => {
    const rules = rulesFor(situation);
    for (const [what, from, to, goes, protocol = "tcp"] of rows)
      it(`${what}: ${from} > ${to}: ${goes}`, () => {
        expect(destinations(situation, rules, [from, to, protocol])).toBe(goes);
      });
  });
}
