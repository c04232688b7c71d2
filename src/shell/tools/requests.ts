import { type Command, CommandError } from "../session/command.ts";
import { parseUrl } from "./curl.ts";
import { requestsDuring } from "./request-load.ts";
import { resolveName } from "./resolve-name.ts";
import { readWords } from "./words.ts";

/**
 * `requests [-n COUNT] [-d SECONDS] URL [-- COMMAND…]`: so many requests spread over so much virtual time, while the
 * command runs: how many were answered. Ends with code 1 when one was lost.
 */
export const requests: Command = {
  name: "requests",
  summary: "many requests while a command runs, and how many were lost",
  async run(session, args, io) {
    const dashes = args.indexOf("--");
    const own = dashes < 0 ? args : args.slice(0, dashes);
    const words = readWords("requests", own, {
      count: { type: "string", short: "n" },
      duration: { type: "string", short: "d" },
    });
    const url = parseUrl(words.positionals[0] ?? "");
    if (url === null) throw new CommandError("requests: a URL says whom to ask", 2);
    const address = resolveName(session, url.host);
    if (address === null) throw new CommandError(`requests: ${url.host}: Name or service not known`, 2);
    const load = {
      from: session.place.netns,
      address,
      port: url.port,
      count: words.number("count", 1000),
      seconds: words.number("duration", 60),
    };
    const command = dashes < 0 ? [] : args.slice(dashes + 1);
    let code = 0;
    const outcome = await requestsDuring(session, load, async () => {
      if (command.length > 0) code = await session.runWords(command, io);
    });
    const { sent, answered, refused, unanswered, firstLost, lastLost } = outcome;
    const when = firstLost === null ? "" : `, from second ${firstLost.toFixed(1)} to ${lastLost!.toFixed(1)}`;
    io.out(
      `${sent} requests: ${answered} answered, ${refused} refused, ${unanswered} without an answer${when}\n`,
    );
    return code || (answered === sent ? 0 : 1);
  },
};
