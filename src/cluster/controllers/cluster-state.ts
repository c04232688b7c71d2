/** What the API server holds at one moment, and how it takes changes. Nothing here is changed in place. */
import { KINDS } from "../objects/kinds.ts";
import {
  emptyStore,
  type KubernetesObject,
  keyOf,
  nameOf,
  namespaceOf,
  type ObjectStore,
} from "../objects/store.ts";
import { drawnSuffixes } from "./draws.ts";
import { type ClusterEvent, creationEvent, type EventNote, noteEvent } from "./event.ts";
import { generatedName } from "./generated-name.ts";
import { timeText } from "./moment.ts";

/** See the file's head. `now` is in seconds since 1970. */
export interface ClusterState {
  readonly store: ObjectStore;
  readonly events: readonly ClusterEvent[];
  readonly now: number;
  /** Counts what has been written: the source of resource versions and uids. */
  readonly serial: number;
  /** How many names have been made for an owner, by `NAMESPACE/OWNER`. */
  readonly namesMade: ReadonlyMap<string, number>;
}

/** What a controller wants changed. A `put` object without a name but with `generateName` is a new one. */
export interface Changes {
  readonly put: readonly KubernetesObject[];
  readonly remove: readonly KubernetesObject[];
  readonly events: readonly EventNote[];
}

/** Nothing to be done. */
export const NO_CHANGES: Changes = { put: [], remove: [], events: [] };

/** A cluster of the given objects. */
export function clusterState(store: ObjectStore, now: number): ClusterState {
  return { store, events: [], now, serial: 0, namesMade: new Map() };
}

/** Are there none? */
export const isNothing = ({ put, remove, events }: Changes): boolean =>
  put.length + remove.length + events.length === 0;

/** All of several controllers' changes. */
export function together(all: readonly Changes[]): Changes {
  return {
    put: all.flatMap(({ put }) => put),
    remove: all.flatMap(({ remove }) => remove),
    events: all.flatMap(({ events }) => events),
  };
}

/** Where objects of a kind are kept. Throws RangeError for a kind that a cluster does not hold. */
function mapOf(kind: string): keyof ObjectStore {
  const map = KINDS.get(kind)?.store ?? null;
  if (map === null) throw new RangeError(`a cluster holds no ${kind}`);
  return map;
}

/** The key of an object in its map: `NAMESPACE/NAME`, or the name alone where there are no namespaces. */
export function storeKey(object: KubernetesObject): string {
  return KINDS.get(object.kind ?? "")?.namespaced === false ? nameOf(object) : keyOf(object);
}

/** The object as it is stored now, or null. */
export function stored(store: ObjectStore, kind: string, key: string): KubernetesObject | null {
  return (store[mapOf(kind)] as ReadonlyMap<string, KubernetesObject>).get(key) ?? null;
}

/**
 * Writes changes: new objects get a name where they ask for one, a uid and the time; whatever is written gets a
 * resource version.
 */
export function applyChanges(state: ClusterState, changes: Changes): ClusterState {
  const maps = new Map<keyof ObjectStore, Map<string, KubernetesObject>>();
  const mapFor = (kind: string) => {
    const name = mapOf(kind);
    const map = maps.get(name) ?? new Map(state.store[name] as ReadonlyMap<string, KubernetesObject>);
    maps.set(name, map);
    return map;
  };
  const namesMade = new Map(state.namesMade);
  let { serial } = state;
  let { events } = state;
  for (const object of changes.remove) mapFor(object.kind ?? "").delete(storeKey(object));
  for (const object of changes.put) {
    const map = mapFor(object.kind ?? "");
    const named = withName(object, map, namesMade, state.store);
    serial++;
    map.set(storeKey(named), stamped(named, map.get(storeKey(named)) ?? null, serial, state.now));
    const event = named === object ? null : creationEvent(named);
    if (event !== null) events = noteEvent(events, event, state.now);
  }
  for (const note of changes.events) events = noteEvent(events, note, state.now);
  const store: ObjectStore = { ...emptyStore(), ...state.store, ...Object.fromEntries(maps) };
  return { store, events, now: state.now, serial, namesMade };
}

/** `names.SimpleNameGenerator`: the owner's name and five characters, drawn in advance where the cluster says so. */
function withName(
  object: KubernetesObject,
  present: ReadonlyMap<string, KubernetesObject>,
  namesMade: Map<string, number>,
  store: ObjectStore,
): KubernetesObject {
  const { name, generateName, namespace = "default" } = object.metadata ?? {};
  if (name !== undefined || generateName === undefined) return object;
  const owner = generateName.replace(/-$/, "");
  const counter = `${namespace}/${owner}`;
  const drawn = drawnSuffixes(store, namespace, owner);
  for (;;) {
    const made = namesMade.get(counter) ?? 0;
    namesMade.set(counter, made + 1);
    const suffix = drawn[made];
    const taken = (one: string) => present.has(`${namespace}/${one}`);
    const candidate =
      suffix === undefined ? generatedName(owner, `${namespace}/${made}`, taken) : `${owner}-${suffix}`;
    if (!taken(candidate)) return { ...object, metadata: { ...object.metadata, name: candidate } };
  }
}

function stamped(
  object: KubernetesObject,
  before: KubernetesObject | null,
  serial: number,
  now: number,
): KubernetesObject {
  const { uid, creationTimestamp } = before?.metadata ?? object.metadata ?? {};
  const isNamespaced = KINDS.get(object.kind ?? "")?.namespaced !== false;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...(isNamespaced ? { namespace: namespaceOf(object) } : {}),
      uid: uid ?? uidOf(`${object.kind}/${storeKey(object)}`, serial),
      creationTimestamp: creationTimestamp ?? timeText(now),
      resourceVersion: String(serial),
    },
  };
}

/** A uid in the form of RFC 4122 that follows from what the object is and when it was written. */
function uidOf(what: string, serial: number): string {
  let hex = "";
  for (let part = 0; hex.length < 32; part++) {
    let hash = 0x811c9dc5;
    for (const char of `${what}#${serial}#${part}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hex += ((hash ^ (hash >>> 13)) >>> 0).toString(16).padStart(8, "0");
  }
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
}
