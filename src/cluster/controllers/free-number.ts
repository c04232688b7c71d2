/** The next free number of a range, ascending, over an upper band first: how every allocator here hands things out. */

/** Numbers that are not handed out, though they may be taken: `first` to `last`, both included. */
export interface Gap {
  first: number;
  last: number;
}

/** Numbers in use. A cursor keeps handing out many of them linear. */
export class NumberRange {
  private readonly taken = new Set<number>();
  private readonly first: number;
  private readonly last: number;
  private readonly start: number;
  private readonly gaps: readonly Gap[];
  private next: number;
  private nextGap = 0;

  /** Numbers from `first` to `last`, both included; `start` is where handing out begins. */
  constructor(first: number, last: number, start: number = first, gaps: readonly Gap[] = []) {
    this.first = first;
    this.last = last;
    this.start = start;
    this.next = start;
    this.gaps = [...gaps].sort((a, b) => a.first - b.first);
  }

  /** Marks a number as in use; false when it was already. */
  take(number: number): boolean {
    if (this.taken.has(number)) return false;
    this.taken.add(number);
    return true;
  }

  /** Takes the first free number from `start` on, then from `first`; null when the range is full. */
  takeNext(): number | null {
    while (this.next <= this.last && !this.take(this.beyondGap())) this.next++;
    if (this.next <= this.last) return this.next++;
    for (let number = this.first; number < this.start; number++)
      if (!this.isInGap(number) && this.take(number)) return number;
    return null;
  }

  /** Moves the cursor out of the gap it stands in, and says where it stands. */
  private beyondGap(): number {
    for (let gap = this.gaps[this.nextGap]; gap !== undefined; gap = this.gaps[++this.nextGap]) {
      if (gap.first > this.next) break;
      this.next = Math.max(this.next, gap.last + 1);
    }
    return this.next;
  }

  private isInGap(number: number): boolean {
    return this.gaps.some(({ first, last }) => number >= first && number <= last);
  }
}
