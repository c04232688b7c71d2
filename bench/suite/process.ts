import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process of this package's own that answers one request after the other. */
export class Process<Request extends object, Answer> {
  private readonly name: string;
  private readonly child: ChildProcess;

  /** `main` is a file beside run.ts that {@link answerRequests}; `name` is for complaints. */
  constructor(main: string, name: string) {
    this.name = name;
    this.child = fork(fileURLToPath(new URL(`../${main}`, import.meta.url)));
  }

  /** Throws when the process ends instead of answering. */
  async ask(request: Request): Promise<Answer> {
    this.child.send(request);
    const over = new AbortController();
    const { signal } = over;
    try {
      return await Promise.race([
        once(this.child, "message", { signal }).then(([answer]) => answer as Answer),
        once(this.child, "exit", { signal }).then(([code]): never => {
          throw new Error(`${this.name}: its process ended with ${code}`);
        }),
      ]);
    } finally {
      over.abort();
    }
  }

  stop(): void {
    this.child.kill();
  }
}

/** The other end: what a process started as a {@link Process} does with its requests. */
export function answerRequests<Request, Answer>(answer: (request: Request) => Promise<Answer>): void {
  process.on("message", (request: Request) => {
    void answer(request).then((done) => process.send!(done));
  });
}
