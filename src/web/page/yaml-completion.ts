import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { keysAt, type Schema, valuesAt } from "../view/schema-words.ts";
import { yamlPlace } from "../view/yaml-path.ts";
import { fetchSchema } from "./client.ts";

let schema: Promise<Schema> | null = null;

/** Completes keys and values of podpath's own kinds, as their JSON Schema has them. */
export async function completeYaml(context: CompletionContext): Promise<CompletionResult | null> {
  const { doc } = context.state;
  const { kind, path, typed, key } = yamlPlace(doc.sliceString(0, context.pos), doc.sliceString(context.pos));
  if (typed === "" && !context.explicit && key === null) return null;
  if (typed.includes(" ")) return null;
  schema ??= fetchSchema();
  const known = await schema;
  const words = key === null ? keysAt(known, kind, path) : valuesAt(known, kind, path, key);
  if (words.length === 0) return null;
  const options = words.map(({ text, description }) => ({
    label: text,
    type: key === null ? "property" : "enum",
    ...(key === null ? { apply: `${text}: ` } : {}),
    ...(description === "" ? {} : { info: description }),
  }));
  return { from: context.pos - typed.length, options, validFor: /^[\w./-]*$/ };
}
