import { addDockerBridge } from "../../src/cluster/docker/bridge.ts";
import { addPodSandbox, type PodSandbox } from "../../src/cluster/docker/sandbox.ts";
import type { Segment } from "../../src/linux/device/segment.ts";
import { Nic } from "../../src/linux/device/segment.ts";
import { addAddress, addRoute, completeRoute, setLinkUp } from "../../src/linux/ip/address.ts";
import { IPS_DST_NAT } from "../../src/linux/netfilter/conntrack/entry.ts";
import { RTN_BROADCAST } from "../../src/linux/netfilter/context.ts";
import type { Netns } from "../../src/linux/netns.ts";
import { Network } from "../../src/linux/network.ts";
import { broadcastOf, networkOf, parseIpv4, parseMac } from "../../src/packet/address.ts";
import { addFlannel } from "./flannel.ts";
import { GuidedChooser, rulesByChain } from "./guided-chooser.ts";
import type { Action, Plan, PlanHost, PlanListener, PlanNode } from "./plan.ts";

/** A plan's namespaces, built with podpath's own parts. */
export interface Lab {
  readonly plan: Plan;
  readonly network: Network;
  readonly chooser: GuidedChooser;
  /** Rules of the nat chain of a node as they stand now, in iptables-save's words. */
  chain(netns: string, chain: string): readonly string[];
  apply(action: Action): void;
}

export function buildLab(plan: Plan, seed: number): Lab {
  const chooser = new GuidedChooser(seed);
  const network = new Network({ chooser });
  const segment = network.addSegment("wire");
  const sandboxes = new Map<string, PodSandbox>();
  for (const host of plan.hosts) addHost(network, segment, plan, host);
  for (const node of plan.nodes) addNode(network, segment, plan, node);
  for (const pod of plan.pods) {
    const node = network.netns(pod.node);
    const bridge = node.device("docker0");
    if (bridge.kind !== "bridge") throw new Error("docker0 is no bridge");
    const [namespace, name] = pod.name.split("/") as [string, string];
    const sandbox = addPodSandbox(network, node, bridge as ReturnType<typeof addDockerBridge>, {
      namespace,
      name,
      address: pod.ip,
      mtu: pod.mtu ?? plan.podMtu,
      hairpin: plan.hairpin,
    });
    sandbox.netns.sysctl.set("net.ipv4.icmp_ratelimit", 0);
    listen(sandbox.netns, pod.listen);
    sandboxes.set(pod.name, sandbox);
  }
  addFlannel(network, plan);
  const rules = new Map<string, Map<string, string[]>>();
  const loadRules = (netns: string, text: string, noflush: boolean): void => {
    const lines = text.startsWith("@") ? plan.rulesets[text.slice(1)]! : text.split("\n");
    network.netns(netns).netfilter.load(`${lines.join("\n")}\n`, { noflush });
    const chains = rulesByChain(lines);
    rules.set(netns, noflush ? new Map([...(rules.get(netns) ?? []), ...chains]) : chains);
  };
  for (const node of plan.nodes) loadRules(node.name, node.iptables, false);
  return {
    plan,
    network,
    chooser,
    chain: (netns, chain) => rules.get(netns)?.get(chain) ?? [],
    apply: (action) => apply(network, sandboxes, loadRules, action),
  };
}

function addNode(network: Network, segment: Segment, plan: Plan, node: PlanNode): void {
  const netns = network.addNetns(node.name);
  setSysctls(netns, { "net.ipv4.icmp_ratelimit": 0, ...plan.sysctl, ...node.sysctl });
  addNic(netns, plan.wire.nic, segment, `${node.ip}/${plan.wire.subnet.split("/")[1]}`, plan.wire.mtu);
  addRoute(netns, { destination: 0, prefixLength: 0, gateway: parseIpv4(plan.wire.gateway) });
  addDockerBridge(netns, { address: node.docker, mtu: plan.podMtu });
  listen(netns, node.listen);
}

function addHost(network: Network, segment: Segment, plan: Plan, host: PlanHost): void {
  const netns = network.addNetns(host.name);
  setSysctls(netns, { "net.ipv4.icmp_ratelimit": 0, ...host.sysctl });
  addNic(netns, "eth0", segment, host.ip, plan.wire.mtu);
  if (host.ip.split("/")[0] !== plan.wire.gateway)
    addRoute(netns, { destination: 0, prefixLength: 0, gateway: parseIpv4(plan.wire.gateway) });
  for (const route of host.routes ?? []) addRoute(netns, parseRoute(netns, route.split(/\s+/)));
  listen(netns, host.listen);
}

function addNic(netns: Netns, name: string, segment: Segment, cidr: string, mtu: number): void {
  const [address, length] = cidr.split("/") as [string, string];
  const local = parseIpv4(address);
  const nic = new Nic(netns, name, 0x020000000000 + (local & 0xffffff), mtu, segment);
  addAddress(nic, { local, prefixLength: Number(length), broadcast: broadcastOf(local, Number(length)) });
  setLinkUp(nic, true);
}

function listen(netns: Netns, listeners: readonly PlanListener[] | undefined): void {
  for (const one of listeners ?? []) {
    const { port, proto = "tcp", container = null } = typeof one === "number" ? { port: one } : one;
    netns.sockets.listen({ protocol: proto, port, owner: container });
  }
}

function setSysctls(netns: Netns, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    try {
      netns.sysctl.set(name, value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      process.stderr.write(`${netns.name}: ${error.message}\n`);
    }
  }
}

const listOf = (on: string | readonly string[]): readonly string[] => (typeof on === "string" ? [on] : on);

function apply(
  network: Network,
  sandboxes: ReadonlyMap<string, PodSandbox>,
  loadRules: (netns: string, text: string, noflush: boolean) => void,
  action: Action,
): void {
  switch (action.do) {
    case "sysctl":
      for (const netns of listOf(action.on)) setSysctls(network.netns(netns), action.set);
      return;
    case "iptables":
      for (const netns of listOf(action.on)) loadRules(netns, action.text, action.noflush ?? false);
      return;
    case "hairpin": {
      const sandbox = sandboxes.get(action.pod);
      if (sandbox === undefined) throw new Error(`no pod ${action.pod}`);
      sandbox.port.hairpin = action.value;
      return;
    }
    case "exec":
      exec(network.netns(action.on), action.argv, action.check ?? true);
      return;
  }
}

/** The commands that plans use, and their like. What a plan lets fail may be unknown. */
function exec(netns: Netns, argv: readonly string[], check: boolean): void {
  const [program, object, verb, ...rest] = argv as [string, string, string, ...string[]];
  try {
    if (program === "conntrack") execConntrack(netns, argv.slice(1));
    else if (program === "sysctl") for (const word of argv.slice(1)) execSysctl(netns, word);
    else if (program === "ip" && object.startsWith("neigh")) execNeigh(netns, verb, rest);
    else if (program === "ip" && object === "link" && verb === "set") execLink(netns, rest);
    else if (program === "ip" && object.startsWith("addr")) execAddress(netns, verb, rest);
    else if (program === "ip" && object.startsWith("ro")) execRoute(netns, verb, rest);
    else throw new RangeError("unknown command");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    if (check) process.stderr.write(`${netns.name}: ${argv.join(" ")}: ${error.message}\n`);
  }
}

function execSysctl(netns: Netns, word: string): void {
  const [name, value] = word.split("=");
  if (value !== undefined) netns.sysctl.set(name!, Number(value));
}

/** `add ADDRESS/LENGTH [brd +] dev DEV` */
function execAddress(netns: Netns, verb: string, words: readonly string[]): void {
  if (verb !== "add") throw new RangeError(`ip addr ${verb}`);
  const [address, length = "32"] = words[0]!.split("/");
  addAddress(netns.device(words[words.indexOf("dev") + 1]!), {
    local: parseIpv4(address!),
    prefixLength: Number(length),
  });
}

function execNeigh(netns: Netns, verb: string, words: readonly string[]): void {
  const dev = netns.device(words[words.indexOf("dev") + 1]!);
  if (verb === "flush") netns.neighbours.flush(dev);
  else if (verb === "del") netns.neighbours.remove(dev, parseIpv4(words[0]!));
  else if (verb === "add" || verb === "replace")
    netns.neighbours.addPermanent(dev, parseIpv4(words[0]!), parseMac(words[words.indexOf("lladdr") + 1]!));
  else throw new RangeError(`ip neigh ${verb}`);
}

function execLink(netns: Netns, words: readonly string[]): void {
  const [first, ...rest] = words[0] === "dev" ? words.slice(1) : words;
  const dev = netns.device(first!);
  for (let i = 0; i < rest.length; i++) {
    if (rest[i] === "up" || rest[i] === "down") setLinkUp(dev, rest[i] === "up");
    else if (rest[i] === "promisc") dev.promiscuous = rest[++i] === "on";
    else if (rest[i] === "mtu") dev.mtu = Number(rest[++i]);
    else throw new RangeError(`ip link set ${words.join(" ")}`);
  }
}

function execRoute(netns: Netns, verb: string, words: readonly string[]): void {
  const route = parseRoute(netns, words);
  if (verb === "add" || verb === "replace") {
    if (verb === "replace") removeRoute(netns, route);
    addRoute(netns, route);
  } else if (verb === "del") removeRoute(netns, route);
  else throw new RangeError(`ip route ${verb}`);
}

function removeRoute(netns: Netns, route: ReturnType<typeof parseRoute>): void {
  const wanted = completeRoute(netns, route);
  for (const entry of netns.fib.entries(wanted.table)) {
    if (
      entry.destination !== wanted.destination ||
      entry.prefixLength !== wanted.prefixLength ||
      entry.type !== wanted.type
    )
      continue;
    netns.fib.remove(entry);
    return;
  }
}

/** `[TYPE] PREFIX [via GATEWAY] [dev DEV] [table TABLE] [src ADDRESS] [mtu N]` */
function parseRoute(netns: Netns, words: readonly string[]) {
  const types: Record<string, 1 | 2 | 3 | 6 | 7 | 8> = {
    unicast: 1,
    local: 2,
    broadcast: RTN_BROADCAST,
    blackhole: 6,
    unreachable: 7,
    prohibit: 8,
  };
  const type = types[words[0]!];
  const [prefix, ...options] = type === undefined ? words : words.slice(1);
  const option = (name: string): string | undefined =>
    options.includes(name) ? options[options.indexOf(name) + 1] : undefined;
  const [address, length = prefix === "default" ? "0" : "32"] =
    prefix === "default" ? ["0.0.0.0"] : prefix!.split("/");
  const via = option("via");
  const dev = option("dev");
  const table = option("table");
  const src = option("src");
  return {
    destination: networkOf(parseIpv4(address!), Number(length)),
    prefixLength: Number(length),
    ...(type === undefined ? {} : { type }),
    ...(via === undefined ? {} : { gateway: parseIpv4(via) }),
    ...(dev === undefined ? {} : { dev: netns.device(dev) }),
    ...(src === undefined ? {} : { prefsrc: parseIpv4(src) }),
    ...(table === "local" ? { table: 255 as const } : {}),
    onlink: options.includes("onlink"),
  };
}

/** `conntrack -D` with filters, `conntrack -F` */
function execConntrack(netns: Netns, words: readonly string[]): void {
  const table = netns.netfilter.conntrack;
  if (table === null) return;
  if (words.includes("-F")) {
    table.flush();
    return;
  }
  const option = (name: string): string | undefined =>
    words.includes(name) ? words[words.indexOf(name) + 1] : undefined;
  const protocols: Record<string, number> = { tcp: 6, udp: 17, icmp: 1, sctp: 132 };
  const wanted = {
    protocol: option("-p"),
    origDst: option("--orig-dst") ?? option("-d"),
    origSrc: option("--orig-src") ?? option("-s"),
    dstNat: option("--dst-nat"),
    dport: option("--dport") ?? option("--orig-port-dst"),
  };
  for (const ct of table.entries()) {
    if (wanted.protocol !== undefined && protocols[wanted.protocol] !== ct.protocol) continue;
    if (wanted.origDst !== undefined && parseIpv4(wanted.origDst) !== ct.original.dst) continue;
    if (wanted.origSrc !== undefined && parseIpv4(wanted.origSrc) !== ct.original.src) continue;
    if (wanted.dport !== undefined && Number(wanted.dport) !== ct.original.dport) continue;
    if (
      wanted.dstNat !== undefined &&
      !((ct.status & IPS_DST_NAT) !== 0 && ct.reply.src === parseIpv4(wanted.dstNat))
    )
      continue;
    table.remove(ct);
  }
}
