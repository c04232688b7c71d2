/** docker's tables: columns as wide as they need and three blanks more, at least 20 (text/tabwriter, 20 1 3). */

const LEAST_WIDTH = 20;
const PADDING = 3;

/** Lines of a table; the last column is not padded. */
export function dockerTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) =>
    Math.max(LEAST_WIDTH, ...all.map((row) => (row[i] ?? "").length + PADDING)),
  );
  return all
    .map(
      (row) => `${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join("")}\n`,
    )
    .join("");
}
