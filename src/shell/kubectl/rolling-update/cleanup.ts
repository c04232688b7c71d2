/** The end of a rolling update (`RollingUpdater.cleanupWithClients`): the old controller goes, the new one takes its name. */
import type { ReplicationController } from "kubernetes-types/core/v1.js";
import { nameOf } from "../../../cluster/objects/store.ts";
import type { Call } from "../call.ts";
import { deleteWithDependents } from "../delete.ts";
import { fresh } from "./controller.ts";

/** `rename` keeps the old name; `delete` leaves the new one as it is. */
export function cleanUp(
  call: Call,
  old: ReplicationController,
  next: ReplicationController,
  policy: "rename" | "delete",
): void {
  if (policy === "delete") {
    call.say(`Update succeeded. Deleting ${nameOf(old)}`);
    deleteWithDependents(call, fresh(call, old), true);
    return;
  }
  call.say(`Update succeeded. Deleting old controller: ${nameOf(old)}`);
  deleteWithDependents(call, fresh(call, old), true);
  call.say(`Renaming ${nameOf(old)} to ${nameOf(next)}`);
  rename(call, fresh(call, next), nameOf(old));
}

/** `Rename`: deleted without its pods, and made anew under the other name; the new one adopts them. */
function rename(call: Call, controller: ReplicationController, name: string): void {
  deleteWithDependents(call, controller, false);
  const { uid: _, creationTimestamp: __, resourceVersion: ___, ...metadata } = controller.metadata ?? {};
  call.write({ put: [{ ...controller, metadata: { ...metadata, name } }] });
}
