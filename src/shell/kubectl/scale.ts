import type { KubernetesObject } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import type { Call, Subcommand } from "./call.ts";
import { selected, selections } from "./get.ts";
import { titleOf } from "./resource.ts";

/** `kubectl scale --replicas=N [--current-replicas=M] KIND NAME` */
export const scaleCommand: Subcommand = {
  name: "scale",
  options: {
    replicas: { type: "string" },
    "current-replicas": { type: "string" },
    timeout: { type: "string" },
  },
  run(call) {
    const [first, ...names] = call.words;
    const replicas = call.number("replicas");
    if (replicas === undefined || replicas < 0)
      throw new CommandError(
        "error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
      );
    if (first === undefined)
      throw new CommandError(
        "error: resource(s) were provided, but no name, label selector, or --all flag specified",
      );
    for (const object of selections(first, names).flatMap((one) => selected(call, one))) {
      checkCurrent(object, call.number("current-replicas") ?? -1);
      setReplicas(call, object, replicas);
      call.say(`${titleOf(object)} scaled`);
    }
    return undefined;
  },
};

interface Scalable extends KubernetesObject {
  spec?: { replicas?: number; parallelism?: number };
}

const fieldOf = (object: KubernetesObject): "replicas" | "parallelism" =>
  object.kind === "Job" ? "parallelism" : "replicas";

/** `ScalePrecondition.Validate`: compared with what is wanted, not with what is there; -1 asks nothing. */
function checkCurrent(object: KubernetesObject, expected: number): void {
  const field = fieldOf(object);
  const current = (object as Scalable).spec?.[field] ?? 1;
  if (expected !== -1 && expected !== current)
    throw new CommandError(`error: Expected ${field} to be ${expected}, was ${current}`);
}

/** Throws CommandError for a kind that has no replicas. */
export function setReplicas(call: Call, object: KubernetesObject, replicas: number): void {
  const kinds = ["ReplicationController", "ReplicaSet", "Deployment", "Job"];
  if (!kinds.includes(object.kind ?? ""))
    throw new CommandError(`error: no scaler has been implemented for {"" "${object.kind}"}`);
  const spec = { ...(object as Scalable).spec, [fieldOf(object)]: replicas };
  const scaled: Scalable = { ...object, spec };
  call.write({ put: [scaled] });
}
