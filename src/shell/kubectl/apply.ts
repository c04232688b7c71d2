import { stored, storeKey } from "../../cluster/controllers/cluster-state.ts";
import type { KubernetesObject } from "../../cluster/objects/store.ts";
import { admit } from "./admission.ts";
import type { Call, Subcommand } from "./call.ts";
import { addObject } from "./create.ts";
import { readManifests } from "./manifest.ts";
import { titleOf } from "./resource.ts";

/** Annotation that remembers what was applied last, to see what has been taken out since. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** `kubectl apply -f FILE` */
export const applyCommand: Subcommand = {
  name: "apply",
  options: { filename: { type: "string", short: "f", multiple: true } },
  run(call) {
    for (const { object } of readManifests(call)) applyObject(call, object);
    return undefined;
  },
};

/** `kubectl replace -f FILE` */
export const replaceCommand: Subcommand = {
  name: "replace",
  options: { filename: { type: "string", short: "f", multiple: true } },
  run(call) {
    for (const { object } of readManifests(call)) {
      const before = stored(call.store, object.kind ?? "", storeKey(object));
      call.write({ put: [admit(call, before === null ? object : { ...object, ...statusOf(before) })] });
      call.say(`${titleOf(object)} replaced`);
    }
    return undefined;
  },
};

const statusOf = (object: KubernetesObject): object => {
  const { status } = object as { status?: object };
  return status === undefined ? {} : { status };
};

function applyObject(call: Call, object: KubernetesObject): void {
  const text = JSON.stringify(object);
  const annotated = {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata?.annotations, [LAST_APPLIED]: text } },
  };
  const live = stored(call.store, object.kind ?? "", storeKey(object));
  if (live === null) {
    addObject(call, annotated);
    call.say(`${titleOf(object)} created`);
    return;
  }
  const last = JSON.parse(live.metadata?.annotations?.[LAST_APPLIED] ?? "{}") as Json;
  const merged = merge(live as Json, last, annotated as unknown as Json) as unknown as KubernetesObject;
  call.write({ put: [admit(call, merged)] });
  call.say(`${titleOf(object)} configured`);
}

type Json = { [key: string]: unknown };
const isMap = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Three ways: what was applied last and is gone now goes, what is applied now stands, the rest stays. */
function merge(live: Json, last: Json, wanted: Json): Json {
  const result: Json = { ...live };
  for (const key of Object.keys(last)) if (!(key in wanted)) delete result[key];
  for (const [key, value] of Object.entries(wanted)) {
    const before = live[key];
    const lastValue = last[key];
    result[key] =
      isMap(value) && isMap(before) ? merge(before, isMap(lastValue) ? lastValue : {}, value) : value;
  }
  return result;
}
