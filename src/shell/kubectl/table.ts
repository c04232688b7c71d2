/** Tables as kubectl printed them in 2017: columns of at least 10 characters, 3 blanks behind the longest cell. */

const LEAST_WIDTH = 10;
const PADDING = 3;

/** Lines of a table; the last column is not padded. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) =>
    Math.max(LEAST_WIDTH, ...all.map((row) => [...(row[i] ?? "")].length + PADDING)),
  );
  const line = (row: readonly string[]) =>
    `${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join("")}\n`;
  return all.map(line).join("");
}

/**
 * Rows of cells aligned by tabs of 8 as `kubectl describe` did before 1.6 (text/tabwriter with TabIndent off and tabs for
 * padding): cells in one block share a column when the lines follow each other.
 */
export function tabbed(text: string): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const widths = lines.map((cells) => cells.map(() => 0));
  for (let column = 0; lines.some((cells) => cells.length > column + 1); column++)
    alignColumn(lines, widths, column);
  return lines
    .map((cells, row) =>
      cells
        .map((cell, i) => (i === cells.length - 1 ? cell : cell + tabsTo(cell, widths[row]![i]!)))
        .join(""),
    )
    .join("\n");
}

const TAB = 8;

/** A column's block ends at a line that has no cell there. */
function alignColumn(lines: readonly string[][], widths: number[][], column: number): void {
  let first = 0;
  while (first < lines.length) {
    let end = first;
    let widest = 0;
    while (end < lines.length && lines[end]!.length > column + 1) {
      widest = Math.max(widest, lines[end]![column]!.length);
      end++;
    }
    const width = Math.ceil((widest + 1) / TAB) * TAB;
    for (let i = first; i < end; i++) widths[i]![column] = width;
    first = Math.max(end, first + 1);
  }
}

const tabsTo = (cell: string, width: number): string => "\t".repeat(Math.ceil((width - cell.length) / TAB));
