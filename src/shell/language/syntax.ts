/** What a line of the shell says, before variables mean anything. */

/** Part of a word. Quoted parts are not split at blanks. */
export type WordPart =
  | { readonly type: "text"; readonly text: string; readonly quoted: boolean }
  | { readonly type: "variable"; readonly name: string; readonly quoted: boolean }
  | { readonly type: "command"; readonly script: string; readonly quoted: boolean };

export type Word = readonly WordPart[];

/** `> FILE`, `>> FILE`, `< FILE`, or the body of a heredoc. `2>` counts as `stderr`. */
export type Redirect =
  | { readonly type: "write" | "append" | "read"; readonly file: Word; readonly stderr: boolean }
  | { readonly type: "heredoc"; body: Word };

/** One command with its redirections. */
export interface SimpleCommand {
  readonly words: Word[];
  readonly redirects: Redirect[];
}

/** Commands joined by `|`. `after` says when it runs: always, if the one before went well, or if it did not. */
export interface Pipeline {
  readonly commands: SimpleCommand[];
  readonly after: ";" | "&&" | "||";
}

/** What is wrong with a line, in bash's words. */
export class SyntaxFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SyntaxFault";
  }
}

/** Thrown when the text ends inside quotes, a substitution or a heredoc: more lines are needed. */
export class Incomplete extends Error {
  constructor() {
    super("more input is needed");
    this.name = "Incomplete";
  }
}
