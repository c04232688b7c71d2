import type { Deployment } from "kubernetes-types/apps/v1.js";
import type { Pod } from "kubernetes-types/core/v1.js";
import { stored, storeKey, together } from "../../cluster/controllers/cluster-state.ts";
import { replicaSetsOf } from "../../cluster/controllers/deployment.ts";
import { isControlledBy, released } from "../../cluster/controllers/owner.ts";
import { deletePod } from "../../cluster/controllers/pod-deletion.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import type { Call, Subcommand } from "./call.ts";
import { selected, selections } from "./get.ts";
import { readManifests } from "./manifest.ts";
import { resourceOf, titleOf } from "./resource.ts";

/** `kubectl delete KIND NAME…`, `-f FILE`, `-l SELECTOR`, `--all`. What an object has made goes with it. */
export const deleteCommand: Subcommand = {
  name: "delete",
  options: {
    filename: { type: "string", short: "f", multiple: true },
    selector: { type: "string", short: "l" },
    all: { type: "boolean" },
    cascade: { type: "string" },
    "grace-period": { type: "string" },
    now: { type: "boolean" },
    force: { type: "boolean" },
    "ignore-not-found": { type: "boolean" },
  },
  run(call) {
    const objects = targets(call);
    if (objects.length === 0) call.io.err("No resources found\n");
    for (const object of objects) {
      deleteObject(call, object);
      call.say(`${titleOf(object)} deleted`);
    }
    return undefined;
  },
};

function targets(call: Call): KubernetesObject[] {
  if (call.all("filename").length > 0)
    return readManifests(call).map(({ object }) => {
      const found = stored(call.store, object.kind ?? "", storeKey(object));
      const { plural, group } = resourceOf(object);
      if (found === null)
        throw new CommandError(
          `Error from server (NotFound): ${plural}${group} "${nameOf(object)}" not found`,
        );
      return found;
    });
  const [first, ...names] = call.words;
  if (first === undefined)
    throw new CommandError(
      "error: resource(s) were provided, but no name, label selector, or --all flag specified",
    );
  const isNamed = names.length > 0 || first.includes("/");
  if (!isNamed && call.text("selector") === undefined && !call.has("all"))
    throw new CommandError(
      "error: resource(s) were provided, but no name, label selector, or --all flag specified",
    );
  try {
    return selections(first, names).flatMap((one) => selected(call, one));
  } catch (error) {
    if (error instanceof CommandError && call.has("ignore-not-found")) return [];
    throw error;
  }
}

function deleteObject(call: Call, object: KubernetesObject): void {
  const grace = call.has("now") ? 1 : call.number("grace-period");
  if (object.kind === "Pod") {
    call.write(deletePod(object as Pod, call.now, grace === undefined || grace < 0 ? undefined : grace));
    return;
  }
  if (object.kind === "Namespace") {
    const inside = Object.values(call.store)
      .flatMap((map: ReadonlyMap<string, KubernetesObject>) => [...map.values()])
      .filter((one) => one.metadata?.namespace === nameOf(object));
    call.write({ remove: [object, ...inside] });
    return;
  }
  if (object.kind === "Endpoints" && stored(call.store, "Endpoints", storeKey(object)) === null) return;
  deleteWithDependents(call, object, call.text("cascade") !== "false");
}

/** Removes an object; what it controls goes too, or is left to itself (`cascade` false). */
export function deleteWithDependents(call: Call, object: KubernetesObject, cascade: boolean): void {
  const sets = object.kind === "Deployment" ? replicaSetsOf(object as Deployment, call.store) : [];
  const owners = cascade ? [object, ...sets] : [object];
  const owned = [...call.store.pods.values()].filter(
    (pod) => namespaceOf(pod) === namespaceOf(object) && owners.some((owner) => isControlledBy(pod, owner)),
  );
  if (!cascade) {
    call.write({ remove: [object], put: [...owned, ...sets].map(released) });
    return;
  }
  const gone = together(owned.map((pod) => deletePod(pod, call.now)));
  call.write({ ...gone, remove: [...gone.remove, object, ...sets] });
}
