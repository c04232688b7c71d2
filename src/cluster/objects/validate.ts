/** From a schema and a value to the list of what is wrong with it. */
import type { z } from "zod";
import { show } from "./field.ts";
import { didYouMean } from "./nearest.ts";

/** Where in an object: keys and list indices from its root. */
export type Path = readonly (string | number)[];

/** One thing wrong with one field. */
export interface FieldFault {
  path: Path;
  text: string;
}

/** `spec.ports[0].nodePort`; a key that is no plain word stands in brackets: `sysctl["net.ipv4.ip_forward"]`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** All faults of a value, in the order of the schema's fields; none when the value is what the schema says. */
export function validate(schema: z.ZodType, value: unknown): FieldFault[] {
  const result = schema.safeParse(value, { error: issueText });
  if (result.success) return [];
  const faults: FieldFault[] = [];
  for (const issue of result.error.issues) {
    const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
    if (issue.code !== "unrecognized_keys") {
      faults.push({ path, text: issue.message });
      continue;
    }
    const known = fieldNames(schema, path);
    for (const key of issue.keys)
      faults.push({ path: [...path, key], text: `unknown field${didYouMean(key, known)}` });
  }
  return faults;
}

const TYPES: Record<string, string> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};

function issueText(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") {
    if (issue.input === undefined) return "is missing";
    return `expected ${TYPES[issue.expected] ?? issue.expected}, got ${show(issue.input)}`;
  }
  if (issue.code === "too_small" && issue.origin === "array") return "is empty";
  return undefined;
}

/** The fields a closed object at `path` of the schema may have. */
function fieldNames(schema: z.ZodType, path: Path): string[] {
  let current: z.core.$ZodType | undefined = schema;
  for (const step of path) current = child(unwrap(current), step);
  const definition = unwrap(current)?._zod.def;
  return definition !== undefined && isObject(definition) ? Object.keys(definition.shape) : [];
}

function unwrap(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let current = schema;
  while (current?._zod.def.type === "optional")
    current = (current._zod.def as z.core.$ZodOptionalDef).innerType;
  return current;
}

function child(schema: z.core.$ZodType | undefined, step: string | number): z.core.$ZodType | undefined {
  const definition = schema?._zod.def;
  if (definition === undefined) return undefined;
  if (isObject(definition)) return definition.shape[step];
  if (definition.type === "array") return (definition as z.core.$ZodArrayDef).element;
  if (definition.type === "record") return (definition as z.core.$ZodRecordDef).valueType;
  return undefined;
}

function isObject(definition: z.core.$ZodTypeDef): definition is z.core.$ZodObjectDef {
  return definition.type === "object";
}
