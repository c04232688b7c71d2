import { z } from "zod";
import { clusterSchema } from "../../cluster/objects/cluster.ts";
import { hostSchema } from "../../cluster/objects/host.ts";
import { DEVICE_CONF_KEYS, SCALAR_SYSCTLS } from "../../linux/sysctl.ts";
import { CLUSTER_DESCRIPTIONS, HOST_DESCRIPTIONS } from "./descriptions.ts";

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** podpath's own kinds; Kubernetes' have schemas elsewhere. */
export const SCHEMA_KINDS = ["Cluster", "Host"] as const;
export type SchemaKind = (typeof SCHEMA_KINDS)[number];

const API_VERSION = "podpath.dev/v1alpha1";
const DRAFT = "https://json-schema.org/draft/2020-12/schema";

/** The schema of one kind, made of what the loader itself checks with. */
export function kindSchema(kind: SchemaKind): JsonSchema {
  return { $schema: DRAFT, title: `${kind} (${API_VERSION})`, ...bodyOf(kind) };
}

/**
 * The schema of a document of a topology: podpath's own kinds are checked to the last field, an object of any other
 * kind is left alone.
 */
export function topologySchema(): JsonSchema {
  return {
    $schema: DRAFT,
    title: "podpath topology",
    type: "object",
    required: ["apiVersion", "kind"],
    properties: { apiVersion: { type: "string" }, kind: { type: "string" } },
    allOf: SCHEMA_KINDS.map((kind) => ({
      if: {
        required: ["apiVersion", "kind"],
        properties: { apiVersion: { const: API_VERSION }, kind: { const: kind } },
      },
      // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
      then: { $ref: `#/$defs/${kind}` },
    })),
    $defs: Object.fromEntries(SCHEMA_KINDS.map((kind) => [kind, bodyOf(kind)])),
  };
}

function bodyOf(kind: SchemaKind): JsonSchema {
  const [schema, descriptions] =
    kind === "Cluster" ? [clusterSchema, CLUSTER_DESCRIPTIONS] : [hostSchema, HOST_DESCRIPTIONS];
  const { $schema: _, ...body } = z.toJSONSchema(schema, {
    io: "input",
    override: ({ jsonSchema, path }) => {
      const field = fieldPath(path);
      if (field.split(".").at(-1) === "sysctl") Object.assign(jsonSchema, sysctlSchema());
      if (field === "apiVersion") jsonSchema.const = API_VERSION;
      if (field === "kind") jsonSchema.const = kind;
      const description = descriptions[field];
      if (description !== undefined) jsonSchema.description = description;
    },
  });
  return body;
}

/** `spec.nodes.*.routes[].to` of the path within a schema: `properties`, `items` and the like are not part of an object. */
function fieldPath(path: readonly (string | number)[]): string {
  let text = "";
  for (let i = 0; i < path.length; i++) {
    const step = path[i];
    if (step === "properties") {
      i++;
      text += text === "" ? String(path[i]) : `.${path[i]}`;
    } else if (step === "additionalProperties") text += ".*";
    else if (step === "items") text += "[]";
    else if (step === "propertyNames") text += ".<name>";
  }
  return text;
}

/** Names and values that `sysctlFault` in cluster/objects lets pass, as far as a schema can say it. */
function sysctlSchema(): JsonSchema {
  const whole: JsonSchema = {
    anyOf: [
      { type: "integer", minimum: 0, maximum: 2 ** 31 - 1 },
      { type: "string", pattern: "^\\d+$" },
    ],
  };
  const names = ["net.ipv4.ip_forward", ...SCALAR_SYSCTLS];
  return {
    type: "object",
    properties: {
      ...Object.fromEntries(names.map((name) => [name, whole])),
      ...Object.fromEntries(
        ["all", "default"].flatMap((device) =>
          DEVICE_CONF_KEYS.map((key) => [`net.ipv4.conf.${device}.${key}`, whole]),
        ),
      ),
      "net.ipv4.ip_local_port_range": { type: "string", pattern: "^\\s*\\d{1,5}\\s+\\d{1,5}\\s*$" },
    },
    patternProperties: {
      [`^net\\.ipv4\\.conf\\.[^.]+(\\.\\d+)?\\.(${DEVICE_CONF_KEYS.join("|")})$`]: whole,
    },
    additionalProperties: false,
  };
}
