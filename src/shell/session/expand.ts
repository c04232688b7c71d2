/** Words with what their variables and commands stand for. */
import type { Word } from "../language/syntax.ts";
import { captured, type Io } from "./io.ts";
import type { Session } from "./session.ts";

/** The words that a word becomes: what is not quoted is split at blanks. */
export async function expand(session: Session, word: Word, io: Io): Promise<string[]> {
  const words: string[] = [];
  let open: string | null = null;
  for (const part of word) {
    if (part.type === "text") {
      open = (open ?? "") + part.text;
      continue;
    }
    const value = await textOfPart(session, part, io);
    if (part.quoted) {
      open = (open ?? "") + value;
      continue;
    }
    const [first = "", ...more] = value.split(/\s+/).filter((one) => one !== "");
    if (first !== "") open = (open ?? "") + first;
    for (const one of more) {
      words.push(open ?? "");
      open = one;
    }
  }
  return open === null ? words : [...words, open];
}

/** A word as one text, unsplit: a file's name, the body of a heredoc. */
export async function expandText(session: Session, word: Word, io: Io): Promise<string> {
  let text = "";
  for (const part of word) text += part.type === "text" ? part.text : await textOfPart(session, part, io);
  return text;
}

async function textOfPart(
  session: Session,
  part: Exclude<Word[number], { type: "text" }>,
  io: Io,
): Promise<string> {
  if (part.type === "variable") return session.variables.get(part.name) ?? "";
  const pipe = captured("", io.err);
  await session.execute(part.script, pipe);
  return pipe.text().replace(/\n+$/, "");
}
