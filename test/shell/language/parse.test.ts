import { describe, expect, it } from "vitest";
import { parseScript } from "../../../src/shell/language/parse.ts";
import { Incomplete, SyntaxFault, type Word } from "../../../src/shell/language/syntax.ts";

const show = (word: Word): string =>
  word
    .map((part) =>
      part.type === "text" ? part.text : part.type === "variable" ? `<${part.name}>` : `$(${part.script})`,
    )
    .join("");

/** `a b | c ; && d` of a script: words of each command, joined. */
const parsed = (text: string): string[] =>
  parseScript(text).map(
    ({ commands, after }) => `${after} ${commands.map(({ words }) => words.map(show).join("_")).join(" | ")}`,
  );

describe("a line of the shell", () => {
  it.each([
    ["a b  c", ["; a_b_c"]],
    ["a 'b  c' \"d e\"", ["; a_b  c_d e"]],
    ["a\\ b", ["; a b"]],
    ['a "\\"$X\\""', ['; a_"<X>"']],
    ["a | b | c", ["; a | b | c"]],
    ["a && b || c; d", ["; a", "&& b", "|| c", "; d"]],
    ["a # no b", ["; a"]],
    ["a#b", ["; a#b"]],
    ["a \\\n  b", ["; a_b"]],
    ["a\n\nb\n", ["; a", "; b"]],
    ["a $(b | c $(d)) $E'f' $?", ["; a_$(b | c $(d))_<E>f_<?>"]],
    ["a || true", ["; a", "|| true"]],
    ["a --name=\"x\" 'y'z", ["; a_--name=x_yz"]],
    ["", []],
  ])("%j", (text, expected) => {
    expect(parsed(text)).toEqual(expected);
  });

  it.each(["a 'b", 'a "b', "a |", "a &&", "a $(b", "cat <<EOF", "cat <<EOF\nx", "a \\"])(
    "%j needs more",
    (text) => {
      expect(() => parseScript(text)).toThrow(Incomplete);
    },
  );

  it.each([
    ["| a", "`|'"],
    ["a | | b", "`|'"],
    ["&& a", "`&&'"],
    ["a >", "`newline'"],
    ["a &", "background"],
  ])("%j is wrong: %s", (text, message) => {
    expect(() => parseScript(text)).toThrow(SyntaxFault);
    expect(() => parseScript(text)).toThrow(message);
  });

  it("has heredocs, with variables unless the end is quoted", () => {
    const bodies = (text: string) =>
      parseScript(text)[0]!.commands[0]!.redirects.map((one) =>
        one.type === "heredoc" ? show(one.body) : one.type,
      );
    expect(bodies("cat > f <<EOF\na $X\n 'b'\nEOF\n")).toEqual(["write", "a <X>\n 'b'\n"]);
    expect(bodies("cat <<'EOF'\na $X\nEOF\n")).toEqual(["a $X\n"]);
    expect(bodies("cat <<-EOF\n\ta\n\tEOF\n")).toEqual(["a\n"]);
  });
});
