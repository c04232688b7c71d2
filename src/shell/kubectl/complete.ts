/** Which words may follow in a kubectl command line. */
import { type KubernetesObject, nameOf, namespaceOf } from "../../cluster/objects/store.ts";
import type { Session } from "../session/session.ts";
import type { Subcommand } from "./call.ts";
import { RESOURCES } from "./resource.ts";

const WITH_KINDS = new Set(["get", "describe", "delete", "edit", "scale", "expose", "label", "annotate"]);
const OF_ONE_KIND: Readonly<Record<string, string>> = {
  logs: "Pod",
  exec: "Pod",
  "rolling-update": "ReplicationController",
  cordon: "Node",
  uncordon: "Node",
};

/** Subcommands, then flags, kinds and names as the subcommand takes them. */
export function completeKubectl(
  session: Session,
  args: readonly string[],
  all: readonly Subcommand[],
): string[] {
  const [name, ...rest] = args;
  const subcommand = all.find((one) => one.name === name);
  if (subcommand === undefined) return all.map((one) => one.name);
  const flags = Object.keys(subcommand.options).map((flag) => `--${flag}`);
  const last = rest.at(-1);
  if (last === "-f" || last === "--filename") return session.files.list();
  const positional = rest.filter((word) => !word.startsWith("-"));
  return [...positionals(session, name!, positional), ...flags, "--namespace"];
}

function positionals(session: Session, name: string, words: readonly string[]): string[] {
  const kind = OF_ONE_KIND[name];
  if (kind !== undefined) return words.length === 0 ? namesOf(session, kind) : [];
  if (name === "taint" && words.length === 0) return ["nodes"];
  if (name === "rollout" && words.length === 0) return ["status", "history", "undo", "pause", "resume"];
  if (name === "rollout" || name === "set")
    return words.length === 1
      ? namesOf(session, "Deployment").map((one) => `deployment/${one}`)
      : name === "set"
        ? ["image"]
        : [];
  if (!WITH_KINDS.has(name) && name !== "taint") return [];
  const resource = RESOURCES.find(
    ({ singular, plural, short }) =>
      words[0] === singular || words[0] === plural || short.includes(words[0] ?? ""),
  );
  if (resource === undefined) return RESOURCES.flatMap(({ plural, short }) => [plural, ...short]);
  return namesOf(session, resource.kind);
}

function namesOf(session: Session, kind: string): string[] {
  const { store, namespaced } = RESOURCES.find((one) => one.kind === kind)!;
  const map = session.plane.store[store] as ReadonlyMap<string, KubernetesObject>;
  return [...map.values()].filter((one) => !namespaced || namespaceOf(one) === session.namespace).map(nameOf);
}
