import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { parseScript } from "../language/parse.ts";
import { type Pipeline, type SimpleCommand, SyntaxFault, type Word } from "../language/syntax.ts";
import { Capture } from "./capture.ts";
import { type Command, CommandError } from "./command.ts";
import { expand, expandText } from "./expand.ts";
import { Files } from "./files.ts";
import { captured, type Io } from "./io.ts";
import { firstMachine, type Place } from "./place.ts";

export interface SessionOptions {
  /** The folder whose files can be read; the current one when left out. */
  readonly folder?: string;
  /** Opens a text for a person to change (`kubectl edit`); gives it back as it was saved. */
  readonly edit?: (text: string) => string;
  /** The namespace of kubectl's context; `default` when left out. */
  readonly namespace?: string;
  readonly commands: readonly Command[];
}

/** Somebody at a terminal of the cluster: where they are, what they have written, and the cluster that answers. */
export class Session {
  readonly plane: ControlPlane;
  readonly files: Files;
  readonly commands: ReadonlyMap<string, Command>;
  readonly variables = new Map<string, string>();
  readonly capture: Capture;
  /** Lines that web servers have logged, by `NAMESPACE/POD/CONTAINER`. */
  readonly requests = new Map<string, string[]>();
  readonly edit: (text: string) => string;
  /** Where commands run now; `ssh` goes further, `exit` comes back. */
  readonly places: Place[];
  /** The namespace of kubectl's context. */
  namespace: string;
  /** Somebody has left the last machine. */
  ended = false;

  constructor(plane: ControlPlane, options: SessionOptions) {
    this.plane = plane;
    this.places = [firstMachine(plane.cluster)];
    this.files = new Files(options.folder ?? ".", GIVEN_FILES);
    this.commands = new Map(options.commands.map((one) => [one.name, one]));
    this.namespace = options.namespace ?? "default";
    this.capture = new Capture(plane.cluster.network);
    this.edit = options.edit ?? ((text) => text);
  }

  get cluster(): SimulatedCluster {
    return this.plane.cluster;
  }

  get place(): Place {
    return this.places.at(-1)!;
  }

  /** `[root@srv-k8s-master1 ~]# ` */
  get prompt(): string {
    return `[root@${this.place.name} ~]# `;
  }

  /**
   * Runs commands; the exit code of the last one. Throws Incomplete when the text needs more lines. What is wrong is
   * told on `io.err`.
   */
  async execute(text: string, io: Io): Promise<number> {
    let pipelines: Pipeline[];
    try {
      pipelines = parseScript(text);
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error;
      io.err(`-bash: ${error.message}\n`);
      return 2;
    }
    let code = 0;
    for (const { commands, after } of pipelines) {
      if ((after === "&&" && code !== 0) || (after === "||" && code === 0)) continue;
      code = await this.runPipeline(commands, io);
      this.variables.set("?", String(code));
      if (this.ended) break;
    }
    return code;
  }

  /** Runs one command that is already in words. */
  async runWords(words: readonly string[], io: Io): Promise<number> {
    const [name = "", ...args] = words;
    if (this.leaveDeadPod()) {
      io.err("command terminated with exit code 137\n");
      return 137;
    }
    const command = this.commands.get(name);
    if (command === undefined) {
      io.err(`-bash: ${name}: command not found\n`);
      return 127;
    }
    try {
      return await command.run(this, args, io);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (error.message !== "") io.err(`${error.message}\n`);
      return error.code;
    }
  }

  /** Out of a pod that has gone meanwhile; true when the session was in one. */
  private leaveDeadPod(): boolean {
    const { pod, netns } = this.place;
    if (pod === null || this.cluster.pod(pod.namespace, pod.name)?.netns === netns) return false;
    this.places.pop();
    return true;
  }

  private async runPipeline(commands: readonly SimpleCommand[], io: Io): Promise<number> {
    let stdin = io.stdin;
    let code = 0;
    for (const [i, command] of commands.entries()) {
      if (i === commands.length - 1)
        return this.runSimple(command, { ...io, stdin, out: io.out, err: io.err });
      const pipe = captured(stdin, io.err);
      code = await this.runSimple(command, pipe);
      stdin = pipe.text();
    }
    return code;
  }

  private async runSimple({ words, redirects }: SimpleCommand, io: Io): Promise<number> {
    if (words.length === 1 && redirects.length === 0) {
      const assigned = ASSIGNMENT.exec(leadingText(words[0]!));
      if (assigned !== null) {
        const value = await expandText(this, words[0]!, io);
        this.variables.set(assigned[1]!, value.slice(assigned[0].length));
        return 0;
      }
    }
    const expanded = (await Promise.all(words.map((word) => expand(this, word, io)))).flat();
    let { stdin } = io;
    const written: { file: string; text: string }[] = [];
    const streams = { out: io.out, err: io.err };
    for (const redirect of redirects) {
      if (redirect.type === "heredoc") {
        stdin = await expandText(this, redirect.body, io);
        continue;
      }
      const file = await expandText(this, redirect.file, io);
      if (redirect.type === "read") {
        const read = this.files.read(file);
        if ("error" in read) {
          io.err(`-bash: ${file}: ${read.error}\n`);
          return 1;
        }
        stdin = read.text;
        continue;
      }
      const kept = this.files.read(file);
      const entry = { file, text: redirect.type === "append" && "text" in kept ? kept.text : "" };
      written.push(entry);
      const write = (text: string) => {
        entry.text += text;
      };
      if (redirect.stderr) streams.err = write;
      else streams.out = write;
    }
    const code = expanded.length === 0 ? 0 : await this.runWords(expanded, { stdin, ...streams });
    for (const { file, text } of written) if (file !== "/dev/null") this.files.write(file, text);
    return code;
  }
}

const ASSIGNMENT = /^([A-Za-z_]\w*)=/;

/** What a word begins with, as far as it is plain text. */
function leadingText(word: Word): string {
  let text = "";
  for (const part of word) {
    if (part.type !== "text" || part.quoted) break;
    text += part.text;
  }
  return text;
}

/** Files of the machines that the tutorial looks at. */
const GIVEN_FILES = {
  "/etc/kubernetes/apiserver": 'KUBE_API_ARGS = "--runtime-config=extensions/v1beta1/daemonsets=true"\n',
};
