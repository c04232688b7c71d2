import { raw } from "jq-wasm";
import { type Command, CommandError } from "../session/command.ts";

const FLAGS = new Set([
  "-r",
  "-c",
  "-e",
  "-s",
  "-S",
  "-n",
  "-j",
  "-M",
  "--raw-output",
  "--compact-output",
  "--slurp",
  "--sort-keys",
  "--tab",
]);

/** `jq [-r] [-c] FILTER [FILE…]`: jq itself, compiled to WebAssembly. */
export const jq: Command = {
  name: "jq",
  summary: "a filter over JSON",
  async run(session, args, io) {
    const flags = args.filter((word) => FLAGS.has(word));
    const [filter, ...files] = args.filter((word) => !word.startsWith("-"));
    if (filter === undefined)
      throw new CommandError(
        "jq - commandline JSON processor [version 1.7.1]\nUsage:\tjq [OPTIONS] FILTER [FILES...]",
        2,
      );
    const texts = files.map((file) => {
      const read = session.files.read(file);
      if ("error" in read) throw new CommandError(`jq: error: Could not open ${file}: ${read.error}`, 2);
      return read.text;
    });
    const input = files.length === 0 ? io.stdin : texts.join("\n");
    try {
      const text = await raw(input, filter, flags);
      if (text !== "") io.out(`${text.replace(/\n$/, "")}\n`);
      return 0;
    } catch (error) {
      const { message } = error as Error;
      throw new CommandError(message, exitCode(message));
    }
  },
};

/** jq's own exit codes: input that is no JSON, a filter that is none, a filter that fails on the input. */
function exitCode(message: string): number {
  if (message.includes("parse error")) return 2;
  return message.includes("compile error") ? 3 : 5;
}
