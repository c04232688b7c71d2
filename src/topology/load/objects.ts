/** From documents to checked objects: Lists unpacked, kinds known, every field of the right type, no name twice. */
import type { Service } from "kubernetes-types/core/v1.js";
import type { Cluster } from "../../cluster/objects/cluster.ts";
import { show } from "../../cluster/objects/field.ts";
import type { Host } from "../../cluster/objects/host.ts";
import { groupOf, KINDS, type Kind } from "../../cluster/objects/kinds.ts";
import type { KubeProxyConfigurationInput } from "../../cluster/objects/kube-proxy-configuration.ts";
import { didYouMean } from "../../cluster/objects/nearest.ts";
import { serviceFaults } from "../../cluster/objects/service.ts";
import {
  emptyStore,
  type KubernetesObject,
  nameOf,
  namespaceOf,
  type ObjectStore,
} from "../../cluster/objects/store.ts";
import { type Path, validate } from "../../cluster/objects/validate.ts";
import { type Fault, fieldFault } from "./fault.ts";
import { lineOf } from "./locate.ts";
import type { YamlDocument } from "./yaml.ts";

/** Where an object stands. `path` leads to it inside its document (items of a List). */
export interface Located {
  document: YamlDocument;
  path: Path;
  kind: string;
  name: string;
}

/** Everything the documents hold. `broken` are objects with faults, by {@link identity}: they are in no map. */
export interface TopologyObjects {
  store: ObjectStore;
  cluster: Cluster | null;
  hosts: Map<string, Host>;
  kubeProxyConfiguration: KubeProxyConfigurationInput | null;
  located: Map<string, Located>;
  broken: Set<string>;
}

/** Faults and warnings, in the order they are found. */
export interface Findings {
  faults: Fault[];
  warnings: Fault[];
}

/** `Kind/NAMESPACE/NAME`, or `Kind//NAME` for what belongs to no namespace. */
export function identity(object: KubernetesObject): string {
  const kind = object.kind ?? "";
  return `${kind}/${KINDS.get(kind)?.namespaced === false ? "" : namespaceOf(object)}/${nameOf(object)}`;
}

/** A fault of a field of an object, with its line. */
export function faultAt({ document, path, kind, name }: Located, field: Path, message: string): Fault {
  const object = name === "" || kind === "" ? kind : `${kind}/${name}`;
  return fieldFault(
    { file: document.chunk.file, line: lineOf(document, [...path, ...field]), object },
    field,
    message,
  );
}

/** Reads the objects out of documents. */
export function collectObjects(documents: readonly YamlDocument[], findings: Findings): TopologyObjects {
  const objects: TopologyObjects = {
    store: emptyStore(),
    cluster: null,
    hosts: new Map(),
    kubeProxyConfiguration: null,
    located: new Map(),
    broken: new Set(),
  };
  const passedOver = new Set<string>();
  for (const document of documents)
    for (const item of unpack(document, document.value, [])) {
      const kind = kindOf(item, passedOver, findings);
      if (kind !== null) addObject(item, kind, objects, findings);
    }
  return objects;
}

interface Item {
  object: KubernetesObject;
  at: Located;
}

/** The objects of a document: itself, or the items of the List it is. A typed list (PodList) names its items' kind. */
function unpack(document: YamlDocument, value: unknown, path: Path): Item[] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [{ object: { kind: show(value) }, at: { document, path, kind: "", name: "" } }];
  const object = value as KubernetesObject & { items?: unknown };
  const { kind } = object;
  if (kind === "List" && object.items === null) return [];
  if (typeof kind === "string" && kind.endsWith("List") && Array.isArray(object.items)) {
    const itemKind = kind.slice(0, -"List".length);
    const inherited = itemKind === "" ? {} : { apiVersion: object.apiVersion, kind: itemKind };
    return object.items.flatMap((item: unknown, i) => {
      const isBare = itemKind !== "" && typeof item === "object" && item !== null && !("kind" in item);
      return unpack(document, isBare ? { ...inherited, ...item } : item, [...path, "items", i]);
    });
  }
  const name = typeof object.metadata?.name === "string" ? object.metadata.name : "";
  return [{ object, at: { document, path, kind: typeof kind === "string" ? kind : "", name } }];
}

/** The object's kind when it means something here; otherwise a fault, or one warning a kind. */
function kindOf({ object, at }: Item, passedOver: Set<string>, findings: Findings): Kind | null {
  const fault = (path: Path, message: string) => {
    findings.faults.push(faultAt(at, path, message));
    return null;
  };
  const { kind: kindName, apiVersion } = object;
  if (at.kind === "" && typeof kindName === "string")
    return fault([], `expected an object with apiVersion and kind, got ${kindName}`);
  if (typeof kindName !== "string")
    return fault(
      ["kind"],
      kindName === undefined ? "is missing" : `expected a string, got ${show(kindName)}`,
    );
  if (typeof apiVersion !== "string")
    return fault(
      ["apiVersion"],
      apiVersion === undefined ? "is missing" : `expected a string, got ${show(apiVersion)}`,
    );
  if (kindName === "List") {
    const items = (object as { items?: unknown }).items;
    return fault(["items"], items === undefined ? "is missing" : `expected a list, got ${show(items)}`);
  }
  const kind = KINDS.get(kindName);
  if (kind?.apiVersions.includes(apiVersion) === true) return kind;
  const isOurGroup = kind?.apiVersions.some((known) => groupOf(known) === groupOf(apiVersion)) === true;
  if (isOurGroup)
    return fault(["apiVersion"], `${show(apiVersion)} is not known; known: ${kind?.apiVersions.join(", ")}`);
  if (groupOf(apiVersion) === "podpath.dev")
    return fault(
      ["kind"],
      `${show(kindName)} is no kind of podpath.dev${didYouMean(kindName, ["Cluster", "Host"])}`,
    );
  const label = `${kindName} (${apiVersion})`;
  if (!passedOver.has(label)) {
    passedOver.add(label);
    findings.warnings.push(faultAt({ ...at, kind: "", name: "" }, [], `kind ${label} is passed over`));
  }
  return null;
}

function addObject({ object, at }: Item, kind: Kind, objects: TopologyObjects, findings: Findings): void {
  const nameless = object.metadata === undefined && at.kind !== "KubeProxyConfiguration";
  const faults = validate(kind.schema, nameless ? { ...object, metadata: {} } : object);
  if (faults.length === 0 && at.kind === "Service") faults.push(...serviceFaults(object as Service));
  const key = identity(object);
  const twin = objects.located.get(key);
  if (twin !== undefined && at.name !== "")
    faults.push({
      path: ["metadata", "name"],
      text: `a second ${at.kind} of this name; the first is at ${placeOf(twin)}`,
    });
  else if (at.kind === "Cluster" && objects.cluster !== null)
    faults.push({ path: [], text: "a second Cluster; a topology has one" });
  else if (at.kind === "KubeProxyConfiguration" && objects.kubeProxyConfiguration !== null)
    faults.push({ path: [], text: "a second KubeProxyConfiguration; a topology has one" });
  for (const { path, text } of faults) findings.faults.push(faultAt(at, path, text));
  if (twin === undefined) objects.located.set(key, at);
  if (faults.length > 0) objects.broken.add(key);
  else keep(object, key, kind, objects);
}

function placeOf({ document, path }: Located): string {
  return `${document.chunk.file}:${lineOf(document, path)}`;
}

/** The casts are what the kind's schema has just checked. */
function keep(object: KubernetesObject, key: string, kind: Kind, objects: TopologyObjects): void {
  if (kind.store !== null) {
    const map = objects.store[kind.store] as Map<string, KubernetesObject>;
    map.set(kind.namespaced ? key.slice(key.indexOf("/") + 1) : nameOf(object), object);
  } else if (object.kind === "Cluster") objects.cluster = object as Cluster;
  else if (object.kind === "Host") objects.hosts.set(nameOf(object), object as Host);
  else objects.kubeProxyConfiguration = object as KubeProxyConfigurationInput;
}
