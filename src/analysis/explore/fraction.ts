/** An exact probability, in lowest terms; the denominator is positive. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export const ONE: Fraction = { numerator: 1n, denominator: 1n };
export const ZERO: Fraction = { numerator: 0n, denominator: 1n };

/** The fraction in lowest terms. Throws RangeError for a denominator that is not positive. */
export function fraction(numerator: bigint, denominator: bigint): Fraction {
  if (denominator <= 0n)
    throw new RangeError(`a fraction's denominator must be positive, not ${denominator}`);
  // the denominators here are nearly all powers of two: those are quick to take out
  const shared = lowestBit(numerator | denominator);
  const n = numerator >> shared;
  const d = denominator >> shared;
  let a = n < 0n ? -n : n;
  let b = d >> lowestBit(d);
  while (b !== 0n) [a, b] = [b, a % b];
  return { numerator: n / a, denominator: d / a };
}

/** How many zeros a number that is not 0 ends in, in binary. */
const lowestBit = (n: bigint): bigint => BigInt((n & -n).toString(2).length - 1);

export const multiply = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.numerator * b.numerator, a.denominator * b.denominator);

export const add = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);

/** Bits that a number has to be cut to before it fits a double. */
const SAFE_BITS = 1000;

/** The nearest double, or one next to it; products of many probabilities have more digits than a double can begin with. */
export function toNumber({ numerator, denominator }: Fraction): number {
  const excess = BigInt(Math.max(0, denominator.toString(16).length * 4 - SAFE_BITS));
  return Number(numerator >> excess) / Number(denominator >> excess);
}
