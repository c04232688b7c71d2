/** Columns of text: wrapping and cutting. */

/** Wraps at spaces (not at non-breaking ones, which become spaces) so that no line is longer than `width`, unless a single word is. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of text.split(" ")) {
    if (current === "") current = word;
    else if (current.length + 1 + word.length <= width) current += ` ${word}`;
    else {
      lines.push(current);
      current = word;
    }
  }
  return [...lines, current].map((one) => one.replaceAll("\u00a0", " "));
}

/** Wraps into at most `most` lines; what does not fit is cut, and three dots say so. */
export function wrapAtMost(text: string, width: number, most: number): string[] {
  const lines = wrap(text, width);
  if (lines.length <= most) return lines;
  const kept = lines.slice(0, most);
  const last = kept[most - 1]!;
  kept[most - 1] = last.length + 2 <= width ? `${last} …` : `${last.slice(0, width - 2)} …`;
  return kept;
}
