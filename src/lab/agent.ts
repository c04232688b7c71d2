import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { LabError } from "./error.ts";
import type { LabPlan } from "./plan.ts";
import type { Setting } from "./settings.ts";

/** One flow, in the words of the process that sends it. */
export interface FlowRequest {
  /** Simulated name of the sender's namespace. */
  readonly from: string;
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly destination: string;
  /** 0 for icmp. */
  readonly port: number;
  /** icmp: the echo's identifier. */
  readonly sourcePort: number;
  readonly bind?: string;
  readonly ttl?: number;
  /** Payload bytes; tcp: bytes sent once connected. */
  readonly size: number;
  /** udp and icmp: IP_MTU_DISCOVER. */
  readonly discovery: "do" | "dont" | "want";
  /** How long the process waits for an answer. */
  readonly timeoutMs: number;
}

/** A frame as a tap on a device saw it. */
export type CapturedFrame = readonly [
  netns: string,
  device: string,
  direction: "tx" | "rx",
  link: "ethernet" | "raw",
  base64: string,
  timeUs: number,
];

export interface SenderSaw {
  readonly errno: string | null;
  readonly connected: boolean;
  readonly replies: readonly {
    readonly from: string | null;
    readonly ttl: number | null;
    readonly bytes: number;
  }[];
  /** ICMP errors of the socket's error queue. */
  readonly errors: readonly {
    readonly errno: string;
    readonly type: number;
    readonly code: number;
    readonly from: string;
    readonly mtu: number | null;
  }[];
}

export interface ReceiverSaw {
  readonly netns: string;
  readonly owner: string | null;
  readonly protocol: string;
  readonly source: string;
  readonly destination: string;
  /** Null for tcp: a connection does not tell. */
  readonly ttl: number | null;
  readonly bytes: number;
}

export interface ConntrackRow {
  readonly protocol: string;
  readonly original: string;
  readonly reply: string;
  readonly state: string | null;
  readonly flags: readonly string[];
  readonly mark: number;
}

/** What the kernel did with one flow. Times are microseconds since the lab was built. */
export interface FlowAnswer {
  readonly startUs: number;
  /** When the flow before was closed. */
  readonly closedUs: number;
  /** The process had what it waited for before its patience ended. */
  readonly finished: boolean;
  readonly frames: readonly CapturedFrame[];
  readonly sender: SenderSaw;
  readonly receivers: readonly ReceiverSaw[];
  readonly conntrack: Readonly<Record<string, readonly ConntrackRow[]>>;
  /** `iptables-save -c` of every namespace with rules. */
  readonly counters: Readonly<Record<string, string>>;
}

/** What may be changed in one namespace of a built lab. */
export interface LabChange {
  readonly netns: string;
  readonly sysctl?: readonly Setting[];
  readonly ip?: readonly string[];
  readonly bridge?: readonly string[];
  /** The whole rule set for iptables-restore. */
  readonly rules?: string;
}

const AGENT = fileURLToPath(new URL("./agent", import.meta.url));
const PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The python process that builds the namespaces, holds their sockets and sends flows. */
export class Agent {
  private readonly child: ChildProcess;
  private readonly waiting: ((line: string) => void)[] = [];
  private complaint = "";
  readonly ended: Promise<void>;

  private constructor(child: ChildProcess) {
    this.child = child;
    createInterface({ input: child.stdout! }).on("line", (line) => this.waiting.shift()?.(line));
    child.stderr?.on("data", (data: Buffer) => {
      this.complaint = (this.complaint + data.toString()).slice(-4000);
    });
    this.ended = new Promise((resolve) => child.once("close", () => resolve()));
    void this.ended.then(() => {
      for (const answer of this.waiting.splice(0))
        answer(JSON.stringify({ ok: false, error: `the agent ended: ${this.complaint.trim()}` }));
    });
  }

  /**
   * `serve`: namespaces go when this process ends, however it ends. `stay`: the agent outlives this process; what it
   * has to say after that goes to `log`.
   */
  static start(mode: "serve" | "stay", log?: string): Agent {
    const stderr = log === undefined ? "pipe" : openSync(log, "a", 0o600);
    const child = spawn("python3", ["-B", AGENT, mode], {
      stdio: ["pipe", "pipe", stderr],
      detached: true,
      env: { ...process.env, PATH: [...PATH, process.env["PATH"] ?? ""].join(":"), LC_ALL: "C" },
    });
    if (typeof stderr === "number") closeSync(stderr);
    return new Agent(child);
  }

  get pid(): number {
    return this.child.pid!;
  }

  private async ask<T>(request: Record<string, unknown>): Promise<T> {
    if (this.child.exitCode !== null) throw new LabError(`the agent has ended: ${this.complaint.trim()}`);
    const line = await new Promise<string>((resolve) => {
      this.waiting.push(resolve);
      this.child.stdin!.write(`${JSON.stringify(request)}\n`);
    });
    const answer = JSON.parse(line) as { ok: boolean; error?: string };
    if (!answer.ok) throw new LabError(answer.error ?? "the agent refused");
    return answer as T;
  }

  /** Builds everything. Gives what the kernel refused that is no reason to stop. */
  async build(plan: LabPlan, capture: boolean): Promise<readonly string[]> {
    return (await this.ask<{ refused: string[] }>({ do: "build", plan, capture })).refused;
  }

  /** Sends a flow; with `forget`, connections, neighbours and path MTUs are forgotten before. */
  flow(request: FlowRequest, options: { forget: boolean; quietMs: number }): Promise<FlowAnswer> {
    return this.ask({ do: "flow", ...request, ...options });
  }

  async counters(): Promise<Readonly<Record<string, string>>> {
    return (await this.ask<{ counters: Record<string, string> }>({ do: "counters" })).counters;
  }

  /** Changes a namespace; gives the time at which it was done. */
  async change(change: LabChange): Promise<number> {
    return (await this.ask<{ nowUs: number }>({ do: "change", ...change })).nowUs;
  }

  /** Runs a command in a namespace and gives its standard output. */
  async read(netns: string, argv: readonly string[]): Promise<string> {
    return (await this.ask<{ output: string }>({ do: "read", netns, argv })).output;
  }

  /** Ends the agent, which takes its namespaces down. */
  async close(): Promise<void> {
    this.child.stdin!.end();
    await this.ended;
  }

  /** Lets a staying agent go its own way. */
  release(): void {
    this.child.stdin!.destroy();
    this.child.stdout!.destroy();
    this.child.unref();
  }
}
