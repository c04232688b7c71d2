import type { Pod, PodSpec, ReplicationController } from "kubernetes-types/core/v1.js";
import type { KubernetesObject } from "../../cluster/objects/store.ts";
import { nameOf } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import type { Subcommand } from "./call.ts";
import { selected, selections } from "./get.ts";
import { resourceOf } from "./resource.ts";

/** `kubectl set image KIND/NAME CONTAINER=IMAGE…` */
export const setCommand: Subcommand = {
  name: "set",
  options: {},
  run(call) {
    const [what, ...words] = call.words;
    if (what !== "image") throw new CommandError(`error: unknown command "${what ?? ""}"; known: set image`);
    const images = new Map(
      words.filter((word) => word.includes("=")).map((word) => word.split("=") as [string, string]),
    );
    const [first, ...names] = words.filter((word) => !word.includes("="));
    if (first === undefined || images.size === 0)
      throw new CommandError("error: at least one image update is required");
    for (const object of selections(first, names).flatMap((one) => selected(call, one))) {
      call.write({ put: [withImages(object, images)] });
      call.say(`${resourceOf(object).singular} "${nameOf(object)}" image updated`);
    }
    return undefined;
  },
};

/** Throws CommandError for a container that the object does not have. */
function withImages(object: KubernetesObject, images: ReadonlyMap<string, string>): KubernetesObject {
  const { spec } = object as Pod;
  const isPod = object.kind === "Pod";
  const template = (object as ReplicationController).spec?.template;
  const before = isPod ? spec : template?.spec;
  const names = new Set((before?.containers ?? []).map(({ name }) => name));
  for (const name of images.keys())
    if (name !== "*" && !names.has(name))
      throw new CommandError(`error: unable to find container named "${name}"`);
  const after: PodSpec = {
    ...before,
    containers: (before?.containers ?? []).map((one) => {
      const image = images.get(one.name) ?? images.get("*");
      return image === undefined ? one : { ...one, image };
    }),
  };
  const changed = isPod ? after : { ...spec, template: { ...template, spec: after } };
  return { ...object, spec: changed } as KubernetesObject;
}
