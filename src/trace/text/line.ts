/** How much of a trace is shown: the outline of a way, what decided, or every step. */
export const BRIEF = 1;
export const NORMAL = 2;
export const VERBOSE = 3;
export type Depth = 1 | 2 | 3;

/** What a line is about, for colour. */
export type Tone = "plain" | "title" | "device" | "rule" | "change" | "good" | "bad" | "quiet";

/** A line of the tree, and the lines below it. A line is shown at its depth and at all greater ones. */
export interface Line {
  readonly depth: Depth;
  readonly tone: Tone;
  /** Short word at the left; empty for none. */
  readonly label: string;
  readonly text: string;
  /** The line is about the tunnel's packet. */
  readonly outer: boolean;
  readonly children: readonly Line[];
}

/** A line with what is left out filled in. */
export function line(
  depth: Depth,
  label: string,
  text: string,
  { tone = "plain", outer = false, children = [] }: Partial<Pick<Line, "tone" | "outer" | "children">> = {},
): Line {
  return { depth, label, text, tone, outer, children };
}

/** One packet's way: what it is, and the namespaces it crossed. */
export interface Section {
  readonly title: string;
  readonly detail: string;
  /** How much of it is shown in a plain trace: 0 for nothing. */
  readonly depth: Depth | 0;
  readonly namespaces: readonly { readonly netns: string; readonly lines: readonly Line[] }[];
}
