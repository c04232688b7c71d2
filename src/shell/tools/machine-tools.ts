/** Going from machine to machine, letting time pass, and small questions to a machine. */
import { Interrupted } from "../control/control-plane.ts";
import { type Command, CommandError } from "../session/command.ts";
import { machine, machineNames } from "../session/place.ts";
import type { Session } from "../session/session.ts";

const go = (name: string): Command => ({
  name,
  summary: "goes to another machine",
  async run(session, args, io) {
    const first = args.findIndex((word) => !word.startsWith("-"));
    const [target, ...command] = first < 0 ? [] : args.slice(first);
    if (target === undefined)
      throw new CommandError(
        `usage: ${name} MACHINE [COMMAND]; there is ${machineNames(session.cluster).join(", ")}`,
        255,
      );
    const place = machine(session.cluster, target.replace(/^.*@/, ""));
    if (place === null)
      throw new CommandError(`ssh: Could not resolve hostname ${target}: Name or service not known`, 255);
    session.places.push(place);
    if (command.length === 0) return 0;
    try {
      return await session.execute(command.join(" "), io);
    } finally {
      session.places.pop();
    }
  },
  complete: (session) => machineNames(session.cluster),
});

const exit = (name: string): Command => ({
  name,
  summary: "goes back to where one came from, or ends",
  run(session, args) {
    if (session.places.length > 1) session.places.pop();
    else session.ended = true;
    return Number(args[0] ?? 0);
  },
});

const simple = (
  name: string,
  summary: string,
  text: (session: Session, args: readonly string[]) => string,
): Command => ({
  name,
  summary,
  run(session, args, io) {
    io.out(text(session, args));
    return 0;
  },
});

const UNITS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86400 };

/** Seconds of `90`, `1.5`, `2m`. Throws CommandError for anything else. */
function secondsOf(tool: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text);
  if (match === null) throw new CommandError(`${tool}: invalid time interval ‘${text}’`);
  return Number(match[1]) * UNITS[match[2]!]!;
}

const sleep: Command = {
  name: "sleep",
  summary: "lets virtual time pass",
  run(session, args) {
    if (args.length === 0) throw new CommandError("sleep: missing operand");
    for (const word of args) session.plane.advance(secondsOf("sleep", word));
    return 0;
  },
};

const wait: Command = {
  name: "wait",
  summary: "lets virtual time pass until nothing changes any more",
  run(session) {
    session.plane.advanceUntilQuiet();
    return 0;
  },
};

const timeout: Command = {
  name: "timeout",
  summary: "ends a command after so much virtual time",
  async run(session, args, io) {
    const [duration, ...words] = args;
    if (duration === undefined || words.length === 0) throw new CommandError("timeout: missing operand", 125);
    const { length } = session.places;
    try {
      return await session.plane.withDeadline(secondsOf("timeout", duration), () =>
        session.runWords(words, io),
      );
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      session.places.length = length;
      return 124;
    }
  },
};

const systemctl: Command = {
  name: "systemctl",
  summary: "accepted: the simulated services run on",
  run(_, args) {
    if (!/^(restart|start|stop|status|enable|daemon-reload)$/.test(args[0] ?? ""))
      throw new CommandError(`Unknown operation '${args[0] ?? ""}'.`);
    return 0;
  },
};

const rm: Command = {
  name: "rm",
  summary: "removes a file of the session",
  run(session, args, io) {
    let code = 0;
    for (const file of args.filter((word) => !word.startsWith("-"))) {
      if (session.files.remove(file) || args.includes("-f")) continue;
      io.err(`rm: cannot remove '${file}': only files that the session has written can be\n`);
      code = 1;
    }
    return code;
  },
  complete: (session) => session.files.list(),
};

const help = simple("help", "this list", ({ commands }) =>
  [...commands.values()].map(({ name, summary }) => `  ${name.padEnd(14)} ${summary}\n`).join(""),
);

/** All of them. */
export const MACHINE_TOOLS: readonly Command[] = [
  help,
  go("ssh"),
  go("node"),
  exit("exit"),
  exit("logout"),
  sleep,
  wait,
  timeout,
  systemctl,
  rm,
  simple("hostname", "the machine's name", ({ place }) => `${place.name}\n`),
  simple(
    "date",
    "the virtual clock",
    ({ plane }) =>
      `${new Date(plane.now * 1000).toUTCString().replace(/(\w+), (\d+) (\w+) (\d+) (\S+) GMT/, "$1 $3 $2 $5 UTC $4")}\n`,
  ),
  simple("ls", "the folder's files", ({ files }) =>
    files
      .list()
      .map((name) => `${name}\n`)
      .join(""),
  ),
  simple("pwd", "the folder", () => "/root\n"),
  simple("true", "goes well", () => ""),
  { name: "false", summary: "goes wrong", run: () => 1 },
];
