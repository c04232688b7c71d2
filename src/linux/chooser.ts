/**
 * Whatever is random in the kernel is asked of a Chooser, so that a seed gives the same run again and an
 * explorer can take every branch with its probability.
 */
export interface Chooser {
  /**
   * True with probability `threshold / 2^31`, the precision of xt_statistic
   * (net/netfilter/xt_statistic.c: `(get_random_u32() & 0x7FFFFFFF) < probability`).
   */
  chance(threshold: number): boolean;
  /** An integer in [0, n). `what` says whether the outcomes differ in kind (an address) or only in number (a port). */
  pick(n: number, what: ChoiceKind): number;
}

export type ChoiceKind = "address" | "port" | "id";

/** Marsaglia's xorshift128, seeded by splitmix32: small, fast, and equal everywhere. */
export class SeededChooser implements Chooser {
  private x: number;
  private y: number;
  private z: number;
  private w: number;

  constructor(seed: number) {
    let s = seed | 0;
    const next = (): number => {
      s = (s + 0x9e3779b9) | 0;
      let t = s ^ (s >>> 16);
      t = Math.imul(t, 0x21f0aaad);
      t ^= t >>> 15;
      t = Math.imul(t, 0x735a2d97);
      return t ^ (t >>> 15);
    };
    this.x = next();
    this.y = next();
    this.z = next();
    this.w = next() | 1;
  }

  /** Unsigned 32 bits. */
  private nextU32(): number {
    const t = this.x ^ (this.x << 11);
    this.x = this.y;
    this.y = this.z;
    this.z = this.w;
    this.w = this.w ^ (this.w >>> 19) ^ t ^ (t >>> 8);
    return this.w >>> 0;
  }

  chance(threshold: number): boolean {
    return (this.nextU32() & 0x7fffffff) < threshold;
  }

  pick(n: number): number {
    return Math.floor((this.nextU32() / 0x100000000) * n);
  }
}
