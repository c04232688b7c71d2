/** What a JSON Schema allows at a place: keys, or the values of a key. */

/** The parts of a JSON Schema that are looked at. */
export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly $defs?: Readonly<Record<string, Schema>>;
}

export interface Word {
  readonly text: string;
  readonly description: string;
}

const KINDS = [
  "Cluster",
  "ConfigMap",
  "DaemonSet",
  "Deployment",
  "EndpointSlice",
  "Endpoints",
  "Host",
  "Job",
  "KubeProxyConfiguration",
  "List",
  "Namespace",
  "Node",
  "Pod",
  "ReplicaSet",
  "ReplicationController",
  "Service",
] as const;
const VERSIONS = [
  "v1",
  "apps/v1",
  "batch/v1",
  "discovery.k8s.io/v1",
  "kubeproxy.config.k8s.io/v1alpha1",
  "podpath.dev/v1alpha1",
] as const;

const plain = (text: string): Word => ({ text, description: "" });

/** The keys that fit under a path in a document of that kind. */
export function keysAt(schema: Schema, kind: string | null, path: readonly string[]): Word[] {
  if (kind === null || schema.$defs?.[kind] === undefined)
    return path.length === 0 ? ["apiVersion", "kind", "metadata", "spec", "status"].map(plain) : [];
  const words = new Map<string, string>();
  for (const one of schemasAt(schema.$defs[kind], path))
    for (const [key, { description = "" }] of Object.entries(one.properties ?? {}))
      words.set(key, description);
  return [...words].map(([text, description]) => ({ text, description }));
}

/** The values that fit for a key; empty where anything may. */
export function valuesAt(schema: Schema, kind: string | null, path: readonly string[], key: string): Word[] {
  if (path.length === 0 && key === "kind") return KINDS.map(plain);
  if (path.length === 0 && key === "apiVersion") return VERSIONS.map(plain);
  if (kind === null || schema.$defs?.[kind] === undefined) return [];
  const values = new Set<string>();
  for (const one of schemasAt(schema.$defs[kind], [...path, key])) {
    if (one.const !== undefined) values.add(String(one.const));
    for (const value of one.enum ?? []) values.add(String(value));
    if (one.type === "boolean") values.add("true").add("false");
  }
  return [...values].map(plain);
}

function schemasAt(root: Schema, path: readonly string[]): Schema[] {
  let here = ways(root);
  for (const step of path) here = here.flatMap((one) => below(one, step)).flatMap(ways);
  return here;
}

function ways(schema: Schema): Schema[] {
  const { anyOf = [], oneOf = [], allOf = [] } = schema;
  return [schema, ...[...anyOf, ...oneOf, ...allOf].flatMap(ways)];
}

function below(schema: Schema, step: string): Schema[] {
  if (step === "[]") return schema.items === undefined ? [] : [schema.items];
  const named = schema.properties?.[step];
  if (named !== undefined) return [named];
  const { additionalProperties } = schema;
  return typeof additionalProperties === "object" ? [additionalProperties] : [];
}
