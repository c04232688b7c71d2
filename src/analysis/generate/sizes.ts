/** Endpoints of the largest Service, however many pods there are. */
const LARGEST = 1000;

/**
 * How fast sizes fall with rank. Sizes go as rank^-0.6, so that of 10,000 Services with 15 endpoints in the mean the
 * largest have hundreds and half have fewer than ten.
 */
const EXPONENT = 0.6;

/**
 * Endpoints of each Service, largest first: as `scale * rank^-0.6`, at least 1 and at most `pods`, their sum the nearest
 * to `mean * count`.
 */
export function endpointCounts(count: number, mean: number, pods: number): number[] {
  const most = Math.max(Math.min(pods, LARGEST), Math.ceil(mean));
  const total = Math.round(mean * count);
  const sizes = (scale: number): number[] =>
    Array.from({ length: count }, (_, i) =>
      Math.max(1, Math.min(most, Math.floor(scale * (i + 1) ** -EXPONENT))),
    );
  let low = 0;
  let high = most * count ** EXPONENT + 1;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (sum(sizes(middle)) > total) high = middle;
    else low = middle;
  }
  const counts = sizes(low);
  let missing = total - sum(counts);
  for (let i = 0; i < count && missing > 0; i++) {
    const more = Math.min(most - counts[i]!, 1);
    counts[i] = counts[i]! + more;
    missing -= more;
  }
  return counts.sort((a, b) => b - a);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
