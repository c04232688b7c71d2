import type { Node, Taint } from "kubernetes-types/core/v1.js";
import { TAINT_EFFECTS } from "../../cluster/objects/node.ts";
import { CommandError } from "../session/command.ts";
import type { Call, Subcommand } from "./call.ts";
import { findObject, resourcesOf } from "./resource.ts";

/** `kubectl cordon NODE`: no new pods. */
export const cordonCommand: Subcommand = {
  name: "cordon",
  options: {},
  run: (call) => setUnschedulable(call, true, "cordoned"),
};

/** `kubectl uncordon NODE` */
export const uncordonCommand: Subcommand = {
  name: "uncordon",
  options: {},
  run: (call) => setUnschedulable(call, false, "uncordoned"),
};

/** `kubectl taint nodes NODE KEY=VALUE:EFFECT… KEY:EFFECT-` */
export const taintCommand: Subcommand = {
  name: "taint",
  options: { overwrite: { type: "boolean" } },
  run(call) {
    const [kind = "", name = "", ...changes] = call.words;
    if (resourcesOf(kind)[0]?.kind !== "Node") throw new CommandError("error: only nodes can be tainted");
    const node = nodeOf(call, name);
    const taints = changes.reduce(changeTaints, node.spec?.taints ?? []);
    call.write({ put: [{ ...node, spec: { ...node.spec, taints } } as Node] });
    call.say(`node "${name}" tainted`);
    return undefined;
  },
};

const nodeOf = (call: Call, name: string): Node =>
  findObject(call.store, resourcesOf("node")[0]!, "", name) as Node;

function setUnschedulable(call: Call, unschedulable: boolean, done: string): undefined {
  const name = call.words[0] ?? "";
  const node = nodeOf(call, name);
  const is = node.spec?.unschedulable === true;
  if (is !== unschedulable) call.write({ put: [{ ...node, spec: { ...node.spec, unschedulable } } as Node] });
  call.say(`node "${name}" ${is === unschedulable ? `already ${done}` : done}`);
  return undefined;
}

function changeTaints(taints: readonly Taint[], text: string): Taint[] {
  const match = /^([^=:]+)(?:=([^:]*))?(?::([A-Za-z]+))?(-)?$/.exec(text);
  if (match === null) throw new CommandError(`error: invalid taint spec: ${text}`);
  const [, key = "", value, effect, isRemoval] = match;
  const others = taints.filter((one) => one.key !== key || (effect !== undefined && one.effect !== effect));
  if (isRemoval !== undefined) return others;
  if (!TAINT_EFFECTS.some((one) => one === effect))
    throw new CommandError(`error: invalid taint effect: ${effect ?? ""}, unsupported taint effect`);
  return [...others, { key, ...(value === undefined ? {} : { value }), effect: effect as Taint["effect"] }];
}
