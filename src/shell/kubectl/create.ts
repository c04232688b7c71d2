import { stored, storeKey } from "../../cluster/controllers/cluster-state.ts";
import { type KubernetesObject, nameOf } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import { admit } from "./admission.ts";
import type { Call, Subcommand } from "./call.ts";
import { readManifests } from "./manifest.ts";
import { resourceOf, titleOf } from "./resource.ts";

/** `kubectl create -f FILE`, `kubectl create namespace NAME`. */
export const createCommand: Subcommand = {
  name: "create",
  options: { filename: { type: "string", short: "f", multiple: true } },
  run(call) {
    const [kind, name] = call.words;
    if (kind === "namespace" || kind === "ns") {
      if (name === undefined) throw new CommandError("error: exactly one NAME is required, got 0");
      createObject(call, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
      return undefined;
    }
    let code: number | undefined;
    for (const { object, file } of readManifests(call))
      try {
        createObject(call, object, file);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        call.io.err(`${error.message}\n`);
        code = 1;
      }
    return code;
  },
};

/** Writes a new object and says so. Throws CommandError when it is there already or refused. */
export function createObject(call: Call, object: KubernetesObject, file?: string): void {
  addObject(call, object, file);
  call.say(`${titleOf(object)} created`);
}

/** The same without a word. */
export function addObject(call: Call, object: KubernetesObject, file?: string): void {
  const { plural, group } = resourceOf(object);
  if (stored(call.store, object.kind ?? "", storeKey(object)) !== null) {
    const where = file === undefined ? "" : `error when creating "${file}": `;
    throw new CommandError(
      `Error from server (AlreadyExists): ${where}${plural}${group} "${nameOf(object)}" already exists`,
    );
  }
  call.write({ put: [admit(call, object)] });
}
