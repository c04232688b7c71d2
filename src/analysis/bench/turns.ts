/** Places in the array that workers share. */
const COUNTING = 0;
const WANTING = 1;
const TURN = 2;
const PLACES = 3;

/**
 * Workers count at the same time, and measure time one after another while nobody counts: who is done with counting waits
 * for the others, and nobody begins to count as long as somebody waits to measure.
 */
export class Turns {
  private readonly shared: Int32Array;

  /** One for each worker, all over the same memory. */
  constructor(memory: SharedArrayBuffer) {
    this.shared = new Int32Array(memory);
  }

  /** Memory to hand to all workers. */
  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Counts as soon as nobody measures or waits to. */
  count<T>(act: () => T): T {
    for (;;) {
      this.until(WANTING, 0);
      Atomics.add(this.shared, COUNTING, 1);
      if (Atomics.load(this.shared, WANTING) === 0) break;
      // somebody was quicker
      this.less(COUNTING);
    }
    try {
      return act();
    } finally {
      this.less(COUNTING);
    }
  }

  /** Measures as soon as nobody else does and nobody counts. */
  measure<T>(act: () => T): T {
    Atomics.add(this.shared, WANTING, 1);
    try {
      while (Atomics.compareExchange(this.shared, TURN, 0, 1) !== 0) Atomics.wait(this.shared, TURN, 1);
      try {
        this.until(COUNTING, 0);
        return act();
      } finally {
        this.less(TURN);
      }
    } finally {
      this.less(WANTING);
    }
  }

  private until(place: number, wanted: number): void {
    for (;;) {
      const found = Atomics.load(this.shared, place);
      if (found === wanted) return;
      Atomics.wait(this.shared, place, found);
    }
  }

  private less(place: number): void {
    Atomics.sub(this.shared, place, 1);
    Atomics.notify(this.shared, place);
  }
}
