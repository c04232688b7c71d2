/** What the Tab key offers. */
import type { Session } from "../session/session.ts";

/** The words that may stand where the line ends, and the part of it that they take the place of (node:readline). */
export function completions(session: Session, line: string): [string[], string] {
  const last = line
    .split(/\||;|&&/)
    .at(-1)!
    .trimStart();
  const words = last.split(/\s+/);
  const partial = words.pop() ?? "";
  const [name, ...args] = words;
  const candidates =
    name === undefined
      ? [...session.commands.keys()]
      : (session.commands.get(name)?.complete?.(session, args) ?? []);
  const hits = [...new Set(candidates)].filter((word) => word.startsWith(partial)).sort();
  return [hits.map((word) => `${word} `), partial];
}
