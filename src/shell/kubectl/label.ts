import type { KubernetesObject } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import type { Call, Options, Subcommand } from "./call.ts";
import { selected, selections } from "./get.ts";
import { resourcesOf, titleOf } from "./resource.ts";

const OPTIONS: Options = {
  overwrite: { type: "boolean" },
  all: { type: "boolean" },
  selector: { type: "string", short: "l" },
};

/** `kubectl label KIND NAME… KEY=VALUE… KEY-` */
export const labelCommand: Subcommand = {
  name: "label",
  options: OPTIONS,
  run: (call) => mark(call, "labels", "labeled"),
};

/** `kubectl annotate KIND NAME… KEY=VALUE… KEY-` */
export const annotateCommand: Subcommand = {
  name: "annotate",
  options: OPTIONS,
  run: (call) => mark(call, "annotations", "annotated"),
};

function mark(call: Call, field: "labels" | "annotations", done: string): undefined {
  const isChange = (word: string) => /^[^=]+=|-$/.test(word);
  const [first, ...rest] = call.words;
  if (first === undefined)
    throw new CommandError(
      "error: one or more resources must be specified as <resource> <name> or <resource>/<name>",
    );
  const at = rest.findIndex(isChange);
  const names = at < 0 ? rest : rest.slice(0, at);
  const changes = at < 0 ? [] : rest.slice(at);
  if (changes.length === 0) throw new CommandError("error: at least one label update is required");
  if (!first.includes("/")) resourcesOf(first);
  for (const object of selections(first, names).flatMap((one) => selected(call, one))) {
    const before = object.metadata?.[field] ?? {};
    const after = apply(before, changes, call.has("overwrite"));
    if (JSON.stringify(before) === JSON.stringify(after)) {
      call.say(`${titleOf(object)} not ${done}`);
      continue;
    }
    const marked: KubernetesObject = { ...object, metadata: { ...object.metadata, [field]: after } };
    call.write({ put: [marked] });
    call.say(`${titleOf(object)} ${done}`);
  }
  return undefined;
}

function apply(before: Readonly<Record<string, string>>, changes: readonly string[], overwrite: boolean) {
  const after: Record<string, string> = { ...before };
  for (const change of changes) {
    if (change.endsWith("-") && !change.includes("=")) {
      delete after[change.slice(0, -1)];
      continue;
    }
    const [key = "", value = ""] = change.split("=");
    const present = after[key];
    if (present !== undefined && present !== value && !overwrite)
      throw new CommandError(`error: '${key}' already has a value (${present}), and --overwrite is false`);
    after[key] = value;
  }
  return after;
}
