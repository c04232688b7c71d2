/** How often something came out, and how often it should have in the mean. */
export interface Expectation {
  readonly observed: number;
  readonly expected: number;
}

/** Pearson's test over outcomes of which `constraints` sums are fixed; p is 1 where nothing can be said. */
export function chiSquare(
  outcomes: readonly Expectation[],
  constraints: number,
): { statistic: number; freedom: number; p: number } {
  const freedom = outcomes.length - constraints;
  let statistic = 0;
  for (const { observed, expected } of outcomes) statistic += (observed - expected) ** 2 / expected;
  return { statistic, freedom, p: freedom < 1 ? 1 : chanceOf(statistic, freedom) };
}

/** The chance that a χ² sum of so many degrees of freedom comes out at least as large. */
export const chanceOf = (statistic: number, freedom: number): number =>
  upperGamma(freedom / 2, statistic / 2);

const PRECISION = 1e-12;
const MOST_TERMS = 10_000;

/** The regularized upper incomplete gamma function Q(a, x), by its series below a + 1 and its continued fraction above. */
function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(-x + a * Math.log(x) - logGamma(a));
  return x < a + 1 ? 1 - front * lowerSeries(a, x) : front * upperFraction(a, x);
}

function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < MOST_TERMS && Math.abs(term) > Math.abs(sum) * PRECISION; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

/** Lentz's method. */
function upperFraction(a: number, x: number): number {
  const least = Number.MIN_VALUE / PRECISION;
  let b = x + 1 - a;
  let c = 1 / least;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < MOST_TERMS; i++) {
    const an = -i * (i - a);
    b += 2;
    d = 1 / nonZero(an * d + b, least);
    c = nonZero(b + an / c, least);
    const delta = d * c;
    h *= delta;
    if (Math.abs(delta - 1) < PRECISION) break;
  }
  return h;
}

const nonZero = (value: number, least: number): number => (Math.abs(value) < least ? least : value);

/** ln Γ(x) for multiples of a half: all that degrees of freedom need. */
function logGamma(x: number): number {
  let sum = 0;
  let at = x;
  for (; at > 1; at--) sum += Math.log(at - 1);
  return at === 1 ? sum : sum + Math.log(Math.PI) / 2;
}
