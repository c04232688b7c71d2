import { basename } from "node:path";
import type { Console } from "./console.ts";

const PATIENCE_MS = 2_000;
const INTERVAL_MS = 200;

/** Counts steps aloud on a terminal's standard error once they have taken longer than two seconds. */
export class Progress {
  private readonly console: Console;
  private readonly what: string;
  private readonly total: number;
  private readonly began: number;
  private shown = 0;
  private done = 0;

  /** @param began when the work began, in milliseconds as of `Date.now()`. */
  constructor(console: Console, what: string, total: number, began = Date.now()) {
    this.console = console;
    this.what = what;
    this.total = total;
    this.began = began;
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

/** Progress through the documents of one file after the other. */
export class ReadingProgress {
  private readonly console: Console;
  private readonly began = Date.now();
  private current: { readonly file: string; readonly progress: Progress } | null = null;

  constructor(console: Console) {
    this.console = console;
  }

  /** So many of a file's documents are read by now. */
  reached(file: string, done: number, total: number): void {
    if (this.current?.file !== file) {
      this.finish();
      const what = `reading ${shortened(basename(file))}`;
      this.current = { file, progress: new Progress(this.console, what, total, this.began) };
    }
    this.current.progress.reached(done);
  }

  /** Takes the line away. */
  finish(): void {
    this.current?.progress.finish();
    this.current = null;
  }
}

/** A line that wraps is not taken away by a carriage return. */
const LONGEST_NAME = 40;
const shortened = (name: string): string =>
  name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - 1)}…`;

/** Does the work and takes the line away, whether it went well or not. */
export function finishing<T>(progress: { finish(): void }, work: () => T): T {
  try {
    return work();
  } finally {
    progress.finish();
  }
}
