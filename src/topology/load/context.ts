/** What every step from objects to the model needs: the objects, and somebody to tell what is wrong with them. */
import type { KubernetesObject, ObjectStore } from "../../cluster/objects/store.ts";
import { keyOf } from "../../cluster/objects/store.ts";
import type { Path } from "../../cluster/objects/validate.ts";
import type { Fault } from "./fault.ts";
import { documentFault } from "./fault.ts";
import { type Findings, faultAt, identity, type Located, type TopologyObjects } from "./objects.ts";

/** See the file's head. `report` finds the object's place by its identity, or by its owner's when a controller made it. */
export interface Context {
  objects: TopologyObjects;
  report(object: KubernetesObject, path: Path, text: string): void;
  warn(object: KubernetesObject, path: Path, text: string): void;
  /** The same, with another store: what controllers have made is in it, so its owners are found. */
  withStore(store: ObjectStore): Context;
}

/** A context that gathers into `findings`. */
export function createContext(objects: TopologyObjects, findings: Findings): Context {
  return {
    objects,
    report(object, path, text) {
      findings.faults.push(faultOf(object, path, text, objects));
    },
    warn(object, path, text) {
      findings.warnings.push(faultOf(object, path, text, objects));
    },
    withStore: (store) => createContext({ ...objects, store }, findings),
  };
}

function faultOf(object: KubernetesObject, path: Path, text: string, objects: TopologyObjects): Fault {
  const place = placeOf(object, path, objects);
  if (place === null) return { ...documentFault("", null, text), object: `${object.kind}/${keyOf(object)}` };
  return faultAt(place.at, place.path, text);
}

/** An object made by a controller stands where its owner does, its spec under `spec.template`. */
function placeOf(
  object: KubernetesObject,
  path: Path,
  { located, store }: { located: ReadonlyMap<string, Located>; store: ObjectStore },
): { at: Located; path: Path } | null {
  const at = located.get(identity(object));
  if (at !== undefined) return { at, path };
  const owner = object.metadata?.ownerReferences?.[0];
  if (owner === undefined) return null;
  const namespace = object.metadata?.namespace ?? "default";
  const stub = { kind: owner.kind, metadata: { name: owner.name, namespace } };
  const replicaSet =
    owner.kind === "ReplicaSet" ? store.replicaSets.get(`${namespace}/${owner.name}`) : undefined;
  const inTemplate = object.kind === "Pod" && path[0] !== "status" ? ["spec", "template", ...path] : [];
  return placeOf(replicaSet ?? stub, object.kind === "Pod" ? inTemplate : path, { located, store });
}
