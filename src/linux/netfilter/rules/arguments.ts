/** One argument of a command line, and where in the line it stood. */
export interface Argument {
  readonly text: string;
  readonly quoted: boolean;
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts a line into arguments as iptables-restore does (iptables/xshared.c: add_param_to_argv): double quotes hold
 * blanks together, a backslash inside quotes takes the next character as it is, a closing quote ends the argument.
 */
export function splitArguments(line: string): Argument[] {
  const args: Argument[] = [];
  let text = "";
  let quoted = false;
  let open = false;
  let start = -1;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (open) {
      if (c === "\\" && i + 1 < line.length) {
        text += line[++i]!;
        continue;
      }
      if (c !== '"') {
        text += c;
        continue;
      }
      open = false;
    } else if (c === '"') {
      open = true;
      quoted = true;
      if (start < 0) start = i;
      continue;
    } else if (c !== " " && c !== "\t" && c !== "\r") {
      if (start < 0) start = i;
      text += c;
      continue;
    }
    if (start < 0) continue;
    args.push({ text, quoted, start, end: c === '"' ? i + 1 : i });
    text = "";
    quoted = false;
    start = -1;
  }
  if (start >= 0) args.push({ text, quoted, start, end: line.length });
  return args;
}

/** Prints a text as iptables-save does, in quotes where it has to (libxtables/xtables.c: xtables_save_string). */
export function quoteArgument(text: string): string {
  if (/^[-_0-9A-Za-z]+$/.test(text)) return text;
  return `"${text.replace(/["\\']/g, "\\$&")}"`;
}
