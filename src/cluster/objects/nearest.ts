/** "Did you mean": the known name nearest to a mistyped one. */

/**
 * The candidate with the smallest edit distance, if that is at most a third of the word (at least 1, at most 4 edits);
 * the first of equals. Case counts as half an edit, so `Networks` finds `Network` before `networks`.
 */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const limit = Math.min(4, Math.max(1, Math.floor(word.length / 3)));
  let best: string | null = null;
  let bestDistance = limit + 0.5;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `; did you mean "X"?`, or nothing when no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const found = nearest(word, candidates);
  return found === null ? "" : `; did you mean "${found}"?`;
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost 1, case 0.5. */
function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let current = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const before = previous;
    previous = current;
    current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = substitution(a.charAt(i - 1), b.charAt(j - 1));
      let least = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, before[j - 2]! + 1);
      current.push(least);
    }
  }
  return current[b.length]!;
}

function substitution(x: string, y: string): number {
  if (x === y) return 0;
  return x.toLowerCase() === y.toLowerCase() ? 0.5 : 1;
}
