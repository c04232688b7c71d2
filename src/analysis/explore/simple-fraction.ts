/** Denominators up to this are read at a glance. */
const LARGEST = 1000;
/** As far as parts of 2^31, multiplied a few times over, may lie from what they stand for. */
const NEAR = 1e-7;

/**
 * A probability for people: `1/4`, or `≈ 1/3` where rules can only come near it, since xt_statistic counts in parts of
 * 2^31; null where no fraction with a denominator of at most 1000 is within 1e-7.
 */
export function simpleFraction(probability: number): string | null {
  // the convergents of its continued fraction are the best there are
  let [before, denominatorBefore, numerator, denominator] = [1, 0, Math.floor(probability), 1];
  let rest = probability - numerator;
  while (Math.abs(numerator / denominator - probability) > NEAR) {
    const term = Math.floor(1 / rest);
    rest = 1 / rest - term;
    [before, numerator] = [numerator, term * numerator + before];
    [denominatorBefore, denominator] = [denominator, term * denominator + denominatorBefore];
    if (denominator > LARGEST) return null;
  }
  const text = denominator === 1 ? `${numerator}` : `${numerator}/${denominator}`;
  return numerator / denominator === probability ? text : `≈ ${text}`;
}
