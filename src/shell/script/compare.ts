/** Is what was printed what the script says? Blanks at the ends of lines do not matter. */

/**
 * Compares line by line. `...` in an expected line stands for any text; a line of six dots or more stands for any lines.
 */
export function matchesExpected(expected: readonly string[], actual: readonly string[]): boolean {
  return matchFrom(expected.map(trimmed), actual.map(trimmed), 0, 0);
}

const trimmed = (line: string): string => line.replace(/\s+$/, "");
const ANY_LINES = /^\s*\.{6,}$/;

function matchFrom(expected: readonly string[], actual: readonly string[], i: number, j: number): boolean {
  if (i === expected.length) return j === actual.length;
  const line = expected[i]!;
  if (ANY_LINES.test(line)) {
    for (let k = j; k <= actual.length; k++) if (matchFrom(expected, actual, i + 1, k)) return true;
    return false;
  }
  return j < actual.length && lineMatches(line, actual[j]!) && matchFrom(expected, actual, i + 1, j + 1);
}

function lineMatches(expected: string, actual: string): boolean {
  if (expected === actual) return true;
  if (!expected.includes("...")) return false;
  const pattern = expected
    .split("...")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${pattern}$`).test(actual);
}

/** Lines of a text without the newline at its end. */
export const printedLines = (text: string): string[] => {
  const lines = text.split("\n");
  while (lines.length > 0 && lines.at(-1)!.trim() === "") lines.pop();
  return lines;
};
