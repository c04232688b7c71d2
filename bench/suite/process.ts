import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a case's process is asked. */
export type CaseRequest =
  | { readonly do: "prepare"; readonly name: string }
  | {
      readonly do: "round";
      readonly name: string;
      readonly timeMs: number;
      readonly rounds: number;
      /** Only the first round warms up. */
      readonly first: boolean;
    };

export interface CaseAnswer {
  /** Nanoseconds of one operation. */
  readonly samplesNs: readonly number[];
  /** The most memory the process has held so far. */
  readonly peakMiB: number;
}

const MAIN = fileURLToPath(new URL("../measure-case.ts", import.meta.url));

/** A case that waits in a process of its own to be measured. */
export class CaseProcess {
  readonly name: string;
  private readonly child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.child = child;
  }

  /** Starts it, and waits until the case is ready. */
  static async start(name: string): Promise<CaseProcess> {
    const one = new CaseProcess(name, fork(MAIN));
    await one.ask({ do: "prepare", name });
    return one;
  }

  round(timeMs: number, rounds: number, first: boolean): Promise<CaseAnswer> {
    return this.ask({ do: "round", name: this.name, timeMs, rounds, first });
  }

  stop(): void {
    this.child.kill();
  }

  private async ask(request: CaseRequest): Promise<CaseAnswer> {
    this.child.send(request);
    const over = new AbortController();
    const { signal } = over;
    try {
      return await Promise.race([
        once(this.child, "message", { signal }).then(([answer]) => answer as CaseAnswer),
        once(this.child, "exit", { signal }).then(([code]): never => {
          throw new Error(`${this.name}: its process ended with ${code}`);
        }),
      ]);
    } finally {
      over.abort();
    }
  }
}
