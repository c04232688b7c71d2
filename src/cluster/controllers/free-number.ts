/** The next free number of a range, ascending, over an upper band first: how every allocator here hands things out. */

/** Numbers in use. A cursor keeps handing out many of them linear. */
export class NumberRange {
  private readonly taken = new Set<number>();
  private readonly first: number;
  private readonly last: number;
  private readonly start: number;
  private next: number;

  /** Numbers from `first` to `last`, both included; `start` is where handing out begins. */
  constructor(first: number, last: number, start: number = first) {
    this.first = first;
    this.last = last;
    this.start = start;
    this.next = start;
  }

  /** Marks a number as in use; false when it was already. */
  take(number: number): boolean {
    if (this.taken.has(number)) return false;
    this.taken.add(number);
    return true;
  }

  has(number: number): boolean {
    return this.taken.has(number);
  }

  /** Frees a number for {@link takeNext} to come round to. */
  release(number: number): void {
    this.taken.delete(number);
    if (number >= this.start && number < this.next) this.next = number;
  }

  /** Takes the first free number from `start` on, then from `first`; null when the range is full. */
  takeNext(): number | null {
    while (this.next <= this.last && this.taken.has(this.next)) this.next++;
    if (this.next <= this.last) {
      this.taken.add(this.next);
      return this.next++;
    }
    for (let number = this.first; number < this.start; number++) if (this.take(number)) return number;
    return null;
  }
}
