/** Manifests: from the text of a file to checked objects, in the order in which they stand there. */
import { KINDS } from "../../cluster/objects/kinds.ts";
import type { KubernetesObject } from "../../cluster/objects/store.ts";
import { type Fault, formatFault } from "../../topology/load/fault.ts";
import { collectObjects, type Findings } from "../../topology/load/objects.ts";
import { parseYaml } from "../../topology/load/yaml.ts";
import { CommandError } from "../session/command.ts";
import type { Call } from "./call.ts";

/** The objects of every file that `-f` names; `-` is standard input. Throws CommandError for what cannot be used. */
export function readManifests(call: Call): { object: KubernetesObject; file: string }[] {
  const files = call.all("filename");
  if (files.length === 0) throw new CommandError("error: Must specify --filename to create");
  return files.flatMap((file) =>
    parseManifest(textOf(call, file), file, call.namespace).map((object) => ({ object, file })),
  );
}

function textOf(call: Call, file: string): string {
  if (file === "-") return call.io.stdin;
  const read = call.session.files.read(file);
  if ("error" in read) throw new CommandError(`error: the path "${file}" does not exist`);
  return read.text;
}

/** The objects of a text; those that do not say their namespace get the given one. */
export function parseManifest(text: string, file: string, namespace: string): KubernetesObject[] {
  const findings: Findings = { faults: [], warnings: [] };
  const documents = parseYaml(file, text, findings.faults);
  for (const { value } of documents) for (const object of itemsOf(value)) place(object, namespace);
  const { store, located, cluster, hosts } = collectObjects(documents, findings);
  if (findings.faults.length > 0) throw new CommandError(faultText(file, findings.faults));
  const [unknown] = findings.warnings;
  if (unknown !== undefined)
    throw new CommandError(`error: unable to recognize "${file}": ${unknown.message}`);
  if (cluster !== null || hosts.size > 0)
    throw new CommandError(`error: unable to recognize "${file}": a Cluster or Host belongs in the topology`);
  const objects = [...located.keys()].flatMap((key) => {
    const [kind = "", ...rest] = key.split("/");
    const map = KINDS.get(kind)?.store ?? null;
    const name = KINDS.get(kind)?.namespaced === false ? rest.at(-1)! : rest.join("/");
    const found = map === null ? undefined : (store[map] as ReadonlyMap<string, KubernetesObject>).get(name);
    return found === undefined ? [] : [found];
  });
  if (objects.length === 0) throw new CommandError("error: no objects passed to create");
  return objects;
}

function faultText(file: string, faults: readonly Fault[]): string {
  const [first] = faults;
  if (first!.object === "" && first!.path === "")
    return `error: error converting YAML to JSON: ${formatFault(first!)}`;
  const texts = faults.map(({ object, path, message }) => `${object} ${path}: ${message}`);
  return `error: error validating "${file}": error validating data: ${texts.join("; ")}`;
}

function itemsOf(value: unknown): KubernetesObject[] {
  if (typeof value !== "object" || value === null) return [];
  const { items } = value as { items?: unknown };
  return Array.isArray(items) ? items.flatMap(itemsOf) : [value as KubernetesObject];
}

function place(object: KubernetesObject, namespace: string): void {
  if (KINDS.get(object.kind ?? "")?.namespaced !== true) return;
  if (typeof object.metadata === "object" && object.metadata !== null)
    object.metadata.namespace ??= namespace;
}
