/** Objects as `-o` wants them. */
import { dump } from "js-yaml";
import type { KubernetesObject } from "../../cluster/objects/store.ts";
import { nameOf } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import { resourceOf } from "./resource.ts";

/** Keys of a value in order, so that equal objects print equally. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, inOrder(one)]),
  );
}

/** YAML of one object in the form of go-yaml: lists at their key's indent, times without quotes. */
export function yamlOf(object: unknown): string {
  const text = dump(inOrder(object), {
    lineWidth: -1,
    noRefs: true,
    seqNoIndent: true,
    quoteStyle: "double",
  });
  return text.replace(/^(.*: )["'](\d{4}-\d\d-\d\dT[\d:]+Z)["']$/gm, "$1$2");
}

/** What `-o yaml`, `json` or `name` prints of a list, or of the only object that was asked for by name. */
export function formatted(objects: readonly KubernetesObject[], isOne: boolean, format: string): string {
  if (format === "name") return objects.map((one) => `${resourceOf(one).singular}/${nameOf(one)}\n`).join("");
  const value = isOne ? objects[0] : { apiVersion: "v1", items: objects, kind: "List", metadata: {} };
  if (format === "yaml") return yamlOf(value);
  if (format === "json") return `${JSON.stringify(inOrder(value), null, 4)}\n`;
  throw new CommandError(`error: output format "${format}" not recognized`);
}
