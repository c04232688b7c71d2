import type { SimulatedCluster } from "../cluster/build/cluster.ts";
import { buildNetwork } from "../cluster/build/network.ts";
import type { ClusterModel } from "../cluster/objects/model.ts";
import type { NetworkEvent } from "../linux/recorder.ts";
import type { TunnelPorts } from "../packet/codec/index.ts";
import { Agent, type ConntrackRow, type FlowRequest, type LabChange } from "./agent.ts";
import { type Comparison, compareFlow } from "./compare/compare.ts";
import { compareTraceVerdict } from "./compare/trace-verdict.ts";
import { parseCounters } from "./counters.ts";
import { GuidedChooser, guidanceOf } from "./guided-chooser.ts";
import { kernelRecord } from "./kernel-flow.ts";
import { segmentNetns } from "./name.ts";
import { configurationLines, labPlan } from "./plan.ts";
import type { FlowRecord } from "./record.ts";
import type { IptablesVariant } from "./requirements.ts";
import { settledModel } from "./settled-model.ts";
import {
  conntrackRows,
  forget,
  type SimulatedProbe,
  simulatedCounters,
  simulateFlow,
} from "./simulated-flow.ts";

/** One flow, done in both worlds. */
export interface VerifiedFlow extends Comparison {
  readonly request: FlowRequest;
  readonly kernelRecord: FlowRecord;
  readonly podpathRecord: FlowRecord;
  readonly events: readonly NetworkEvent[];
}

export interface SessionOptions {
  /** Name of the lab; no two labs of one name at a time. */
  readonly lab: string;
  readonly iptables: IptablesVariant;
  readonly seed: number;
  /** Called with the simulated cluster before the kernel's is built from it: a test may break it here. */
  readonly tamper?: (cluster: SimulatedCluster) => void;
}

/** After the last frame of a flow, so long nothing must move. */
const QUIET_MS = 12;

/** A cluster in both worlds at once, their clocks in step. Close it, whatever happens. */
export class LabSession {
  readonly cluster: SimulatedCluster;
  /** What the kernel does not let one set: `NETNS: SYSCTL = VALUE`. */
  readonly refused: readonly string[];
  private readonly agent: Agent;
  private readonly chooser: GuidedChooser;
  private readonly ports: TunnelPorts;
  private readonly known: ReadonlySet<string>;
  private before: Readonly<Record<string, string>> = {};
  /** The kernel's connections at the end of the last flow. */
  private remembered: FlowRecord["conntrack"] = {};
  private simulatedBefore: Readonly<Record<string, string>>;
  private last: SimulatedProbe | null = null;
  private readonly rules = new Map<string, string[]>();

  private constructor(
    cluster: SimulatedCluster,
    agent: Agent,
    chooser: GuidedChooser,
    refused: readonly string[],
  ) {
    this.refused = refused;
    this.cluster = cluster;
    this.agent = agent;
    this.chooser = chooser;
    const { backend } = cluster.model.flannel;
    this.ports = {
      flannelUdp: backend.type === "udp" ? [backend.port] : [],
      vxlan: backend.type === "vxlan" ? [backend.port] : [],
    };
    this.known = knownPorts(cluster);
    this.simulatedBefore = simulatedCounters(cluster);
  }

  /** Builds both. Throws LabError when the kernel's cannot be built; nothing is left behind then. */
  static async open(
    model: ClusterModel,
    { lab, iptables, seed, tamper }: SessionOptions,
  ): Promise<LabSession> {
    const chooser = new GuidedChooser(seed);
    const cluster = buildNetwork(settledModel(model), { chooser });
    const agent = Agent.start("serve");
    try {
      const refused = await agent.build(labPlan(cluster, lab, iptables), true);
      const session = new LabSession(cluster, agent, chooser, refused);
      session.before = await agent.counters();
      session.readRules();
      tamper?.(cluster);
      return session;
    } catch (error) {
      await agent.close();
      throw error;
    }
  }

  /** The rules of a chain as the kernel's `iptables-save` words them. */
  readonly chainRules = (netns: string, table: string, chain: string): readonly string[] =>
    this.rules.get(`${netns} ${table} ${chain}`) ?? [];

  private readRules(): void {
    this.rules.clear();
    for (const [netns, save] of Object.entries(this.before))
      for (const { table, chain, rule, text } of parseCounters(save).values()) {
        if (rule === 0) continue;
        const key = `${netns} ${table} ${chain}`;
        const lines = this.rules.get(key) ?? [];
        lines.push(text);
        this.rules.set(key, lines);
      }
  }

  /** Sends a flow in the kernel, then the same in the simulation along the kernel's random choices, and compares. */
  async verify(request: FlowRequest, options: { keep?: boolean } = {}): Promise<VerifiedFlow> {
    const isFresh = !(options.keep ?? false);
    const answer = await this.agent.flow(request, { forget: isFresh, quietMs: QUIET_MS });
    const kernel = kernelRecord(answer, this.before, this.ports);
    this.before = answer.counters;
    this.advanceTo(answer.closedUs);
    this.last?.close();
    if (isFresh) forget(this.cluster);
    // the first frame tells better than the agent when the packet left
    this.advanceTo(Math.max(answer.startUs, kernel.frames[0]?.timeUs ?? 0));
    this.chooser.guide(guidanceOf(kernel, this.chainRules, isFresh ? {} : this.remembered));
    this.remembered = kernel.conntrack;
    const probe = simulateFlow(this.cluster, request, this.simulatedBefore);
    this.chooser.guide({ chances: [], ports: [] });
    this.simulatedBefore = probe.counters;
    this.last = probe;
    const knownPorts = new Set([...this.known, String(request.sourcePort), String(request.port)]);
    const comparison = compareFlow(request, kernel, probe.record, { knownPorts });
    const { events, record } = probe;
    return {
      request,
      kernelRecord: kernel,
      podpathRecord: record,
      events,
      ...comparison,
      differences: [
        ...comparison.differences,
        ...compareTraceVerdict(request, comparison.kernel, events, record.sender),
      ],
    };
  }

  private advanceTo(timeUs: number): void {
    const { network } = this.cluster;
    network.advance(Math.max(0, timeUs - network.clock.nowUs));
  }

  /**
   * Changes both worlds alike: `simulate` the simulation, `change` the kernel's namespace. With `rules`, what the
   * simulation's rules are then goes to iptables-restore on every node, and connections that it has forgotten are
   * deleted from the kernel's tables.
   */
  async change(
    simulate: (cluster: SimulatedCluster) => void,
    { change, rules = false }: { change?: LabChange; rules?: boolean },
  ): Promise<void> {
    const nowUs = await this.agent.change(change ?? { netns: this.nodeNames[0]! });
    this.advanceTo(nowUs);
    this.last?.close();
    this.last = null;
    const before = this.connections();
    const routes = this.hostConfiguration();
    simulate(this.cluster);
    await this.followRoutes(routes, this.hostConfiguration());
    if (rules)
      for (const netns of this.nodeNames)
        await this.agent.change({ netns, rules: this.cluster.network.netns(netns).netfilter.save() });
    await this.forgetConnections(before);
    this.simulatedBefore = simulatedCounters(this.cluster);
    this.before = await this.agent.counters();
    this.readRules();
  }

  private get nodeNames(): readonly string[] {
    return [...this.cluster.nodes.keys()];
  }

  /** Neighbours and routes of the outside hosts, which follow the announcements of load balancers. */
  private hostConfiguration(): Map<string, readonly string[]> {
    return new Map(
      [...this.cluster.hosts].map(([name, netns]) => [name, configurationLines(netns)] as const),
    );
  }

  private async followRoutes(
    before: ReadonlyMap<string, readonly string[]>,
    after: ReadonlyMap<string, readonly string[]>,
  ): Promise<void> {
    for (const [netns, lines] of after) {
      const old = before.get(netns)!;
      const ip = [
        ...old.filter((line) => !lines.includes(line)).map(undoLine),
        ...lines.filter((line) => !old.includes(line)),
      ];
      if (ip.length > 0) await this.agent.change({ netns, ip });
    }
  }

  private connections(): Map<string, readonly ConntrackRow[]> {
    return new Map(
      this.nodeNames.map((name) => [name, conntrackRows(this.cluster.network.netns(name))] as const),
    );
  }

  private async forgetConnections(before: ReadonlyMap<string, readonly ConntrackRow[]>): Promise<void> {
    const now = this.connections();
    for (const [netns, rows] of before) {
      const kept = new Set(now.get(netns)?.map(({ protocol, original }) => `${protocol} ${original}`));
      for (const { protocol, original } of rows)
        if (!kept.has(`${protocol} ${original}`))
          await this.agent.read(netns, deleteCommand(protocol, original));
    }
  }

  /** Runs a command in a namespace of the kernel's. */
  read(netns: string, argv: readonly string[]): Promise<string> {
    return this.agent.read(netns, argv);
  }

  get segmentNamespaces(): readonly string[] {
    return [...this.cluster.network.segments.keys()].map(segmentNetns);
  }

  /** Takes the kernel's namespaces away. */
  close(): Promise<void> {
    return this.agent.close();
  }
}

/** The `ip` line that takes back what a line of `configurationLines` did. */
const undoLine = (line: string): string =>
  line
    .replace(/^route append/, "route del")
    .replace(/^neigh replace (\S+) .* dev (\S+)$/, "neigh del $1 dev $2");

/** `conntrack -D` of one connection. */
function deleteCommand(protocol: string, original: string): string[] {
  const [, source, sport, destination, dport] = /^([\d.]+)(?::(\d+))?>([\d.]+)(?::(\d+))?$/.exec(original)!;
  const ports = sport === undefined ? [] : ["--sport", sport, "--dport", dport!];
  return ["conntrack", "-D", "-p", protocol, "-s", source!, "-d", destination!, ...ports];
}

/** Ports that somebody chose: listeners', Services', tunnels'. */
function knownPorts(cluster: SimulatedCluster): Set<string> {
  const ports = new Set(["8285", "8472"]);
  for (const netns of cluster.network.namespaces.values())
    for (const { port } of netns.sockets.listeners) ports.add(String(port));
  for (const { spec } of cluster.model.services)
    for (const { port, nodePort } of spec?.ports ?? []) {
      ports.add(String(port));
      if (nodePort !== undefined) ports.add(String(nodePort));
    }
  for (const text of Object.values(simulatedCounters(cluster)))
    for (const [, port] of text.matchAll(/--to-destination \S+:(\d+)/g)) ports.add(port!);
  return ports;
}
