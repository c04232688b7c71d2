/** Completion of keys by the kinds' JSON Schema: stands until the schema is served. */
import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";

export function completeYaml(_context: CompletionContext): CompletionResult | null {
  return null;
}
