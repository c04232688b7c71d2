import type { Console } from "./console.ts";

const PATIENCE_MS = 2_000;
const INTERVAL_MS = 200;

/** Counts steps aloud on a terminal's standard error once they have taken longer than two seconds. */
export class Progress {
  private readonly console: Console;
  private readonly what: string;
  private readonly total: number;
  private readonly began = Date.now();
  private shown = 0;
  private done = 0;

  constructor(console: Console, what: string, total: number) {
    this.console = console;
    this.what = what;
    this.total = total;
  }

  step(): void {
    this.reached(this.done + 1);
  }

  /** So many steps are done by now. */
  reached(done: number): void {
    this.done = done;
    if (!this.console.errIsTerminal) return;
    const now = Date.now();
    if (now - this.began < PATIENCE_MS || now - this.shown < INTERVAL_MS) return;
    this.shown = now;
    this.console.err(`\r${this.what} ${this.done}/${this.total}`);
  }

  /** Takes the line away. */
  finish(): void {
    if (this.shown > 0) this.console.err("\r\u001b[K");
  }
}
