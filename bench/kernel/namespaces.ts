import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Agent } from "../../src/lab/agent.ts";
import type { LabPlan } from "../../src/lab/plan.ts";
import { sweepLabs } from "../../src/lab/stale.ts";

/** What one measurement sends. */
export interface Flood {
  readonly kind: "established" | "new";
  /** Address and port of the Service. */
  readonly destination: string;
  readonly port: number;
  readonly firstPort: number;
  readonly packets: number;
  readonly seconds: number;
}

export interface FloodResult {
  readonly sent: number;
  readonly received: number;
  readonly seconds: number;
}

/** UDP payload of every packet: 64 bytes on an Ethernet. */
export const PAYLOAD = 18;
/** Packets that one system call takes. */
export const BATCH = 64;

const SCRIPT = fileURLToPath(new URL("./flood.py", import.meta.url));
const LAB = "bench-kernel-";
/** Patience beyond a flood's own end. */
const GRACE_MS = 10_000;

const run = promisify(execFile);

/** A benchmark's cluster in real namespaces, which go when this process ends, however it ends. */
export class KernelCluster {
  private readonly agent: Agent;
  private readonly plan: LabPlan;
  private readonly targetPort: number;
  private readonly cores: readonly number[];

  private constructor(agent: Agent, plan: LabPlan, targetPort: number) {
    this.agent = agent;
    this.plan = plan;
    this.targetPort = targetPort;
    this.cores = allowedCores();
  }

  /** Builds what `labPlan(cluster, labName(…), …)` says. Its listeners are left to {@link flood}. */
  static async build(plan: LabPlan, targetPort: number): Promise<KernelCluster> {
    const agent = Agent.start("serve");
    const namespaces = plan.namespaces.map((one) => ({ ...one, listen: [] }));
    const cluster = new KernelCluster(agent, plan, targetPort);
    try {
      await agent.build({ ...plan, namespaces }, false);
    } catch (error) {
      await agent.close();
      throw error;
    }
    return cluster;
  }

  private path(netns: string): string {
    const one = this.plan.namespaces.find(({ name }) => name === netns);
    if (one === undefined) throw new RangeError(`no namespace ${netns}`);
    return `/run/netns/${one.real}`;
  }

  /** Forgets every connection of a namespace. */
  async forget(netns: string): Promise<void> {
    await this.agent.read(netns, ["conntrack", "-F"]);
  }

  /** How many connections the kernel lets a namespace have: the machine's own setting, which a namespace only reads. */
  async mostConnections(netns: string): Promise<number> {
    return Number(await this.agent.read(netns, ["sysctl", "-n", "net.netfilter.nf_conntrack_max"]));
  }

  /** How many connections a namespace has. */
  async connections(netns: string): Promise<number> {
    return Number(await this.agent.read(netns, ["conntrack", "-C"]));
  }

  /** Sends from one namespace, on the last core, and counts in another, on the first. */
  async flood(from: string, to: string, flood: Flood): Promise<FloodResult> {
    const request = {
      ...flood,
      from: this.path(from),
      to: this.path(to),
      targetPort: this.targetPort,
      payload: PAYLOAD,
      batch: BATCH,
      senderCore: this.cores.at(-1),
      receiverCore: this.cores[0],
    };
    const { stdout } = await run("python3", ["-B", SCRIPT, JSON.stringify(request)], {
      timeout: flood.seconds * 1000 + GRACE_MS,
    });
    return JSON.parse(stdout) as FloodResult;
  }

  /** Takes the namespaces away. */
  close(): Promise<void> {
    return this.agent.close();
  }
}

/** A name for a lab of this process. */
export const labName = (which: string): string => `${LAB}${process.pid}-${which}`;

/** Takes away what earlier runs have left whose agent was killed with them. */
export const sweepStale = (): void => sweepLabs(LAB);

/** Cores that this process may run on. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
