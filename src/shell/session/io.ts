/** The streams of one command. */
export interface Io {
  readonly stdin: string;
  out(text: string): void;
  err(text: string): void;
}

/** What a command writes, gathered. */
export function captured(stdin: string, err: (text: string) => void): Io & { text(): string } {
  const parts: string[] = [];
  return { stdin, err, out: (text) => void parts.push(text), text: () => parts.join("") };
}
