import {
  Incomplete,
  type Pipeline,
  type Redirect,
  type SimpleCommand,
  SyntaxFault,
  type Word,
  type WordPart,
} from "./syntax.ts";

/**
 * Parses commands as a shell does: words, quotes, `$NAME`, `$(…)`, `|`, `;`, `&&`, `||`, `#` comments, redirections
 * and heredocs. Throws {@link Incomplete} when more lines are needed, {@link SyntaxFault} when more would not help.
 */
export function parseScript(text: string): Pipeline[] {
  return new Parser(text).script();
}

const OPERATOR = /^(?:&&|\|\||2>>|2>|<<-?|>>|[|;<>&\n])/;
const BLANK = /[ \t]/;
/** Characters that end a word. */
const WORD_END = /[ \t\n|;<>&]/;

interface Heredoc {
  delimiter: string;
  quoted: boolean;
  stripTabs: boolean;
  redirect: { type: "heredoc"; body: Word };
}

class Parser {
  private readonly text: string;
  private at = 0;
  private heredocs: Heredoc[] = [];

  constructor(text: string) {
    this.text = text;
  }

  script(): Pipeline[] {
    const pipelines: Pipeline[] = [];
    let after: Pipeline["after"] = ";";
    for (;;) {
      const commands = this.pipeline();
      if (commands.length > 0) {
        pipelines.push({ commands, after });
        after = ";";
      }
      const operator = this.operator();
      if (operator === null) break;
      if (commands.length === 0 && operator !== "\n" && operator !== ";") throw unexpected(operator);
      if (operator === "&&" || operator === "||") after = operator;
      if (operator === "\n") this.readHeredocs();
    }
    if (this.at < this.text.length) throw unexpected(this.text.slice(this.at, this.at + 1));
    if (this.heredocs.length > 0) throw new Incomplete();
    if (after !== ";") throw new Incomplete();
    return pipelines;
  }

  private pipeline(): SimpleCommand[] {
    const commands: SimpleCommand[] = [];
    for (;;) {
      const command = this.command();
      const isEmpty = command.words.length === 0 && command.redirects.length === 0;
      if (isEmpty) {
        if (commands.length === 0) return [];
        if (this.at >= this.text.length) throw new Incomplete();
        throw unexpected(this.text[this.at] ?? "newline");
      }
      commands.push(command);
      this.skipBlanks();
      if (this.text[this.at] !== "|" || this.text[this.at + 1] === "|") return commands;
      this.at++;
    }
  }

  private command(): SimpleCommand {
    const command: SimpleCommand = { words: [], redirects: [] };
    for (;;) {
      this.skipBlanks();
      const redirect = this.redirect();
      if (redirect !== null) {
        command.redirects.push(redirect);
        continue;
      }
      const char = this.text[this.at];
      if (char === undefined || WORD_END.test(char)) return command;
      command.words.push(this.word());
    }
  }

  /** `;`, newline, `&&`, `||`; null at the end. */
  private operator(): string | null {
    this.skipBlanks();
    const match = OPERATOR.exec(this.text.slice(this.at))?.[0];
    if (match === undefined) return null;
    if (match === "&") throw new SyntaxFault("jobs in the background are not known here");
    this.at += match.length;
    return match;
  }

  private redirect(): Redirect | null {
    const match = /^(?:2>>|2>|<<-?|>>|[<>])/.exec(this.text.slice(this.at))?.[0];
    if (match === undefined) return null;
    this.at += match.length;
    this.skipBlanks();
    const char = this.text[this.at];
    if (char === undefined || WORD_END.test(char)) throw unexpected(char ?? "newline");
    if (match.startsWith("<<")) return this.heredoc(match === "<<-");
    const file = this.word();
    const stderr = match.startsWith("2");
    if (match === "<") return { type: "read", file, stderr: false };
    return { type: match.endsWith(">>") ? "append" : "write", file, stderr };
  }

  private heredoc(stripTabs: boolean): Redirect {
    const parts = this.word();
    const delimiter = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
    const redirect = { type: "heredoc" as const, body: [] as Word };
    this.heredocs.push({ delimiter, quoted: parts.some(({ quoted }) => quoted), stripTabs, redirect });
    return redirect;
  }

  private readHeredocs(): void {
    for (const heredoc of this.heredocs) {
      const lines: string[] = [];
      for (;;) {
        if (this.at >= this.text.length) throw new Incomplete();
        const end = this.text.indexOf("\n", this.at);
        const raw = this.text.slice(this.at, end < 0 ? undefined : end);
        this.at = end < 0 ? this.text.length : end + 1;
        const line = heredoc.stripTabs ? raw.replace(/^\t+/, "") : raw;
        if (line === heredoc.delimiter) break;
        lines.push(`${line}\n`);
      }
      const body = lines.join("");
      heredoc.redirect.body = heredoc.quoted
        ? [{ type: "text", text: body, quoted: true }]
        : new Parser(body).doubleQuoted("");
    }
    this.heredocs = [];
  }

  private skipBlanks(): void {
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) return;
      if (BLANK.test(char)) this.at++;
      else if (char === "\\" && this.text[this.at + 1] === "\n") this.at += 2;
      else if (char === "#" && (this.at === 0 || /\s|;/.test(this.text[this.at - 1]!))) {
        const end = this.text.indexOf("\n", this.at);
        this.at = end < 0 ? this.text.length : end;
      } else return;
    }
  }

  private word(): WordPart[] {
    const parts: WordPart[] = [];
    const add = (text: string, quoted: boolean) => parts.push({ type: "text", text, quoted });
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined || WORD_END.test(char)) return parts;
      this.at++;
      if (char === "'") {
        const end = this.text.indexOf("'", this.at);
        if (end < 0) throw new Incomplete();
        add(this.text.slice(this.at, end), true);
        this.at = end + 1;
      } else if (char === '"')
        parts.push({ type: "text", text: "", quoted: true }, ...this.doubleQuoted('"'));
      else if (char === "\\") {
        if (this.at >= this.text.length) throw new Incomplete();
        if (this.text[this.at] !== "\n") add(this.text[this.at]!, true);
        this.at++;
      } else if (char === "$") parts.push(this.expansion(false));
      else add(char, false);
    }
  }

  /** Up to `end` (the text's end when that is ""): only `$` and `\` mean anything. */
  doubleQuoted(end: string): WordPart[] {
    const parts: WordPart[] = [];
    let text = "";
    const flush = () => {
      if (text !== "") parts.push({ type: "text", text, quoted: true });
      text = "";
    };
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) {
        if (end !== "") throw new Incomplete();
        flush();
        return parts;
      }
      this.at++;
      if (char === end) {
        flush();
        return parts;
      }
      if (char === "\\" && /[$"\\`\n]/.test(this.text[this.at] ?? "")) {
        if (this.text[this.at] !== "\n") text += this.text[this.at];
        this.at++;
      } else if (char === "$") {
        flush();
        parts.push(this.expansion(true));
      } else text += char;
    }
  }

  /** After a `$`. */
  private expansion(quoted: boolean): WordPart {
    const rest = this.text.slice(this.at);
    const name = /^(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*|\?))/.exec(rest);
    if (name !== null) {
      this.at += name[0].length;
      return { type: "variable", name: name[1] ?? name[2]!, quoted };
    }
    if (!rest.startsWith("(")) return { type: "text", text: "$", quoted };
    let depth = 0;
    for (let i = 0; i < rest.length; i++) {
      if (rest[i] === "(") depth++;
      else if (rest[i] === ")" && --depth === 0) {
        this.at += i + 1;
        return { type: "command", script: rest.slice(1, i), quoted };
      }
    }
    throw new Incomplete();
  }
}

const unexpected = (token: string): SyntaxFault =>
  new SyntaxFault(`syntax error near unexpected token \`${token === "\n" ? "newline" : token}'`);
