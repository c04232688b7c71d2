import type { Deployment, ReplicaSet } from "kubernetes-types/apps/v1.js";
import { replicaSetsOf, revisionOf, TEMPLATE_HASH_LABEL } from "../../cluster/controllers/deployment.ts";
import { nameOf } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import type { Call, Subcommand } from "./call.ts";
import { selected, selections } from "./get.ts";

/** Seconds after which `rollout status` gives up. */
const PATIENCE = 600;

/** `kubectl rollout (status|history|undo|pause|resume) deployment/NAME` */
export const rolloutCommand: Subcommand = {
  name: "rollout",
  options: {
    "to-revision": { type: "string" },
    watch: { type: "boolean", short: "w" },
    revision: { type: "string" },
  },
  run(call) {
    const [action, first, ...names] = call.words;
    const [object] =
      first === undefined ? [] : selections(first, names).flatMap((one) => selected(call, one));
    if (object === undefined) throw new CommandError("error: required resource not specified.");
    if (object.kind !== "Deployment")
      throw new CommandError(`error: no rollout of a ${object.kind} is possible`);
    const deployment = object as Deployment;
    switch (action) {
      case "status":
        return status(call, deployment);
      case "history":
        return history(call, deployment);
      case "undo":
        return undo(call, deployment);
      case "pause":
      case "resume":
        return pause(call, deployment, action === "pause");
      default:
        throw new CommandError(
          `error: unknown command "${action ?? ""}"; known: status, history, undo, pause, resume`,
        );
    }
  },
};

/** `DeploymentStatusViewer.Status`, said whenever it changes while time passes. */
function status(call: Call, { metadata }: Deployment): number | undefined {
  let last = "";
  for (let second = 0; second <= PATIENCE; second++) {
    const now = call.store.deployments.get(`${metadata?.namespace}/${metadata?.name}`);
    if (now === undefined) return undefined;
    const text = progress(now);
    if (text === null) {
      call.say(`deployment "${nameOf(now)}" successfully rolled out`);
      return undefined;
    }
    if (text !== last) call.say(text);
    last = text;
    call.session.plane.advance(1);
  }
  call.io.err("error: timed out waiting for the condition\n");
  return 1;
}

function progress({ spec, status: at }: Deployment): string | null {
  const wanted = spec?.replicas ?? 1;
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = at ?? {};
  if (updatedReplicas < wanted)
    return `Waiting for rollout to finish: ${updatedReplicas} out of ${wanted} new replicas have been updated...`;
  if (replicas > updatedReplicas)
    return `Waiting for rollout to finish: ${replicas - updatedReplicas} old replicas are pending termination...`;
  if (availableReplicas < updatedReplicas)
    return `Waiting for rollout to finish: ${availableReplicas} of ${updatedReplicas} updated replicas are available...`;
  return null;
}

function history(call: Call, deployment: Deployment): undefined {
  const rows = replicaSetsOf(deployment, call.store).map((one) => {
    const cause = one.metadata?.annotations?.["kubernetes.io/change-cause"] ?? "<none>";
    return `${revisionOf(one)}\t\t${cause}`;
  });
  call.say([`deployments "${nameOf(deployment)}"`, "REVISION\tCHANGE-CAUSE", ...rows, ""].join("\n"));
  return undefined;
}

function undo(call: Call, deployment: Deployment): undefined {
  const to = call.number("to-revision") ?? 0;
  const all = replicaSetsOf(deployment, call.store);
  const target = to === 0 ? all.at(-2) : all.find((one) => revisionOf(one) === to);
  if (target === undefined)
    throw new CommandError(
      to === 0
        ? "error: no last revision to roll back to"
        : `error: unable to find specified revision ${to} in history`,
    );
  call.write({
    put: [{ ...deployment, spec: { ...deployment.spec, template: templateOf(target) } } as Deployment],
  });
  call.say(`deployment "${nameOf(deployment)}" rolled back`);
  return undefined;
}

function templateOf({ spec }: ReplicaSet) {
  const { [TEMPLATE_HASH_LABEL]: _, ...labels } = spec?.template?.metadata?.labels ?? {};
  return { ...spec?.template, metadata: { ...spec?.template?.metadata, labels } };
}

function pause(call: Call, deployment: Deployment, paused: boolean): undefined {
  const word = paused ? "paused" : "resumed";
  if ((deployment.spec?.paused === true) === paused)
    throw new CommandError(
      `error: deployments "${nameOf(deployment)}" is ${paused ? "already paused" : "not paused"}`,
    );
  const { paused: _, ...spec } = deployment.spec ?? ({} as NonNullable<Deployment["spec"]>);
  call.write({ put: [{ ...deployment, spec: paused ? { ...spec, paused } : spec } as Deployment] });
  call.say(`deployment "${nameOf(deployment)}" ${word}`);
  return undefined;
}
