/** Where in a document a cursor stands, by indentation: enough of YAML to know which keys fit. */

export interface YamlPlace {
  /** The document's kind; null when it does not say. */
  readonly kind: string | null;
  /** Keys from the document's root; `[]` for an element of a list. */
  readonly path: readonly string[];
  /** What is being typed. */
  readonly typed: string;
  /** The key whose value is being typed; null when a key is. */
  readonly key: string | null;
}

interface Entry {
  readonly indent: number;
  readonly key: string;
}

const KEY = /^(\s*)((?:- +)*)(?:"([^"]*)"|([^\s:#{[\]}"'-][^:#{}[\]]*?)):(?:\s|$)/;
const START = /^---(?:\s|$)/;

/** The place at the end of `before`, a text up to the cursor; `after` is the rest, looked at for the kind only. */
export function yamlPlace(before: string, after = ""): YamlPlace {
  const lines = before.split("\n");
  const start = lines.findLastIndex((line) => START.test(line)) + 1;
  const own = lines.slice(start);
  const rest = after.split("\n");
  const end = rest.findIndex((line, i) => i > 0 && START.test(line));
  const whole = [
    ...own.slice(0, -1),
    `${own.at(-1) ?? ""}${rest[0]}`,
    ...rest.slice(1, end < 0 ? undefined : end),
  ];
  const kind =
    whole.map((line) => /^kind:\s*["']?(\w+)/.exec(line)?.[1]).find((word) => word !== undefined) ?? null;
  const line = own.at(-1) ?? "";
  const parents = parentsOf(own.slice(0, -1), line);
  return { kind, ...placeInLine(line, parents) };
}

/** The keys that the last line stands below. */
function parentsOf(above: readonly string[], line: string): string[] {
  let limit = indentOf(line);
  // what follows a dash stands deeper than the dash
  const isItem = /^\s*-(\s|$)/.test(line);
  const found: string[] = isItem ? ["[]"] : [];
  if (isItem) limit += 0.5;
  for (let i = above.length - 1; i >= 0; i--) {
    const entries = entriesOf(above[i]!);
    for (const { indent, key } of entries.reverse()) {
      if (indent >= limit) continue;
      // a list may stand as deep as its key
      found.unshift(key);
      limit = indent;
    }
  }
  return found;
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** What a line opens: `- a:` opens a list's element and in it a key. */
function entriesOf(line: string): Entry[] {
  const dashes = [...line.matchAll(/(?<=^[\s-]*)-(?=\s|$)/g)].map(
    ({ index }): Entry => ({ indent: index + 0.25, key: "[]" }),
  );
  const match = KEY.exec(line);
  if (match === null) return line.trimStart().startsWith("#") ? [] : dashes;
  const key = match[3] ?? match[4]!;
  return [...dashes, { indent: match[1]!.length + match[2]!.length, key }];
}

/** Goes on within the line: `{` and `[` open mappings and lists of one line. */
function placeInLine(line: string, parents: readonly string[]): Omit<YamlPlace, "kind"> {
  const path = [...parents];
  let rest = line.replace(/^\s*(?:-\s+)*/, "");
  const depth: ("{" | "[")[] = [];
  let key: string | null = null;
  for (;;) {
    const named = /^\s*(?:"([^"]*)"|([^\s:#{}[\],"']+)):(?:\s+|$)/.exec(rest);
    if (named !== null) {
      key = named[1] ?? named[2]!;
      rest = rest.slice(named[0].length);
    }
    const next = /[{}[\],]/.exec(rest);
    if (next === null) return { path, key, typed: rest.trimStart() };
    const sign = next[0];
    rest = rest.slice(next.index + 1);
    if (sign === "{" || sign === "[") {
      if (key !== null) path.push(key);
      if (sign === "[") path.push("[]");
      depth.push(sign);
      key = null;
    } else if (sign === ",") key = null;
    else {
      if (depth.pop() === "[") path.pop();
      path.pop();
      key = null;
    }
  }
}
