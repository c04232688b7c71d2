import type { KubernetesObject } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import { admit } from "./admission.ts";
import type { Call, Subcommand } from "./call.ts";
import { selected, selections } from "./get.ts";
import { parseManifest } from "./manifest.ts";
import { yamlOf } from "./output.ts";
import { resourceOf, titleOf } from "./resource.ts";

const HEAD = `# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`;

/** `kubectl edit KIND NAME`: the object's YAML in $EDITOR; what was saved is written. */
export const editCommand: Subcommand = {
  name: "edit",
  options: { output: { type: "string", short: "o" } },
  run(call) {
    const [first, ...names] = call.words;
    const [object] =
      first === undefined ? [] : selections(first, names).flatMap((one) => selected(call, one));
    if (object === undefined)
      throw new CommandError("error: must specify the type and name of an object to edit");
    const text = yamlOf(object);
    const saved = call.session.edit(HEAD + text).replace(/^#.*\n/gm, "");
    if (saved.trim() === "" || saved === text) {
      call.say("Edit cancelled, no changes made.");
      return undefined;
    }
    write(call, object, saved);
    call.say(`${titleOf(object)} edited`);
    return undefined;
  },
};

function write(call: Call, before: KubernetesObject, saved: string): void {
  const [edited] = parseManifest(saved, `${resourceOf(before).plural}/edit.yaml`, call.namespace);
  const { name, namespace, uid, creationTimestamp } = before.metadata ?? {};
  if (edited === undefined || edited.kind !== before.kind || edited.metadata?.name !== name)
    throw new CommandError("error: At least one of apiVersion, kind and name was changed");
  const { status } = before as { status?: object };
  const metadata = { ...edited.metadata, name, namespace, uid, creationTimestamp };
  call.write({
    put: [
      admit(call, { ...edited, metadata, ...(status === undefined ? {} : { status }) } as KubernetesObject),
    ],
  });
}
