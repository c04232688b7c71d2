import type { Journal } from "./journal.ts";

/** The virtual clock: integer microseconds since the simulation began, and what is due when. No real time anywhere. */
export class Clock {
  nowUs = 0;
  private timers: Timer[] = [];
  private serial = 0;
  /**
   * Where everybody who has the time notes what packets change, so that it can be put back with it; null in a plain
   * run. See Network.checkpoint.
   */
  journal: Journal | null = null;

  /** Runs `run` once, `delayUs` from now. Timers due at the same time run in the order in which they were set. */
  schedule(delayUs: number, run: () => void): Timer {
    const timer: Timer = { dueUs: this.nowUs + delayUs, serial: this.serial++, run, cancelled: false };
    // Few timers are ever pending (ARP retries, ageing): a sorted insert is simplest
    let i = this.timers.length;
    while (i > 0 && this.timers[i - 1]!.dueUs > timer.dueUs) i--;
    this.timers.splice(i, 0, timer);
    return timer;
  }

  /** Notes the time and what is pending, before the journal begins. */
  keep(journal: Journal): void {
    journal.keep(this);
    journal.keep(this.timers);
    for (const timer of this.timers) journal.keep(timer);
  }

  /** When the next pending timer is due, or Infinity. */
  nextDueUs(): number {
    this.dropCancelled();
    return this.timers.length === 0 ? Number.POSITIVE_INFINITY : this.timers[0]!.dueUs;
  }

  /** Moves the clock to the next timer that is due by `limitUs` and runs it; false when there is none. */
  step(limitUs: number): boolean {
    this.dropCancelled();
    const first = this.timers[0];
    if (first === undefined || first.dueUs > limitUs) return false;
    this.timers.shift();
    if (first.dueUs > this.nowUs) this.nowUs = first.dueUs;
    first.run();
    return true;
  }

  private dropCancelled(): void {
    while (this.timers.length > 0 && this.timers[0]!.cancelled) this.timers.shift();
  }
}

export interface Timer {
  readonly dueUs: number;
  readonly serial: number;
  readonly run: () => void;
  cancelled: boolean;
}
