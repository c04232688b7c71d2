/** The steps of a rolling update (`RollingUpdater.Update`): up by one, wait, down by one, until all is new. */
import type { ReplicationController } from "kubernetes-types/core/v1.js";
import { nameOf } from "../../../cluster/objects/store.ts";
import { CommandError } from "../../session/command.ts";
import type { Call } from "../call.ts";
import { setReplicas } from "../scale.ts";
import { DESIRED_REPLICAS, ORIGINAL_REPLICAS, SOURCE_ID } from "./annotations.ts";
import { annotated, controllerNamed, fresh, readyOf, replicasOf, withSpec } from "./controller.ts";

/** Seconds of virtual time, and how many pods there may be more and fewer than wanted. */
export interface UpdateSettings {
  readonly period: number;
  readonly interval: number;
  readonly timeout: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** Replaces the pods of `old` by those of `next`; leaves both controllers, `next` with all replicas. */
export function replacePods(
  call: Call,
  oldController: ReplicationController,
  nextController: ReplicationController,
  settings: UpdateSettings,
): ReplicationController {
  const desired = desiredReplicas(call, oldController, nextController);
  let next = createOrContinue(call, oldController, nextController, desired);
  let old = keepOriginal(call, oldController);
  const keep = desired === 0 ? 0 : Math.max(0, desired - settings.maxUnavailable);
  const most = desired + settings.maxSurge;
  call.say(
    `Scaling up ${nameOf(next)} from ${replicasOf(next)} to ${desired}, scaling down ${nameOf(old)} from ${replicasOf(old)} to 0 ` +
      `(keep ${keep} pods available, don't exceed ${most} pods)`,
  );
  let lastChange = call.now;
  while (replicasOf(next) !== desired || replicasOf(old) !== 0) {
    const before = replicasOf(next) + replicasOf(old) * 1e6;
    next = scaleUp(call, old, next, desired, settings);
    call.session.plane.advance(settings.period);
    old = scaleDown(call, old, next, desired, keep, settings);
    next = fresh(call, next);
    if (replicasOf(next) + replicasOf(old) * 1e6 !== before) lastChange = call.now;
    if (call.now - lastChange > settings.timeout)
      throw new CommandError("error: timed out waiting for any update progress to be made");
  }
  call.write({ put: [annotated(fresh(call, next), { [SOURCE_ID]: null, [DESIRED_REPLICAS]: null })] });
  return waitForReplicas(call, next, settings);
}

function desiredReplicas(call: Call, old: ReplicationController, next: ReplicationController): number {
  const existing = controllerNamed(call, nameOf(next));
  const noted = existing?.metadata?.annotations?.[DESIRED_REPLICAS];
  if (noted !== undefined) return Number(noted);
  return existing === null ? replicasOf(old) : replicasOf(existing) || replicasOf(old);
}

/** `getOrCreateTargetController`: a new one begins without replicas. */
function createOrContinue(
  call: Call,
  old: ReplicationController,
  next: ReplicationController,
  desired: number,
): ReplicationController {
  const existing = controllerNamed(call, nameOf(next));
  if (existing !== null) {
    call.say(`Continuing update with existing controller ${nameOf(existing)}.`);
    return existing;
  }
  const marked = annotated(next, {
    [SOURCE_ID]: `${nameOf(old)}:${old.metadata?.uid ?? ""}`,
    [DESIRED_REPLICAS]: String(desired),
  });
  call.write({ put: [withSpec(marked, { replicas: 0 })] });
  call.say(`Created ${nameOf(next)}`);
  return fresh(call, next);
}

function keepOriginal(call: Call, old: ReplicationController): ReplicationController {
  const now = fresh(call, old);
  if (now.metadata?.annotations?.[ORIGINAL_REPLICAS] !== undefined) return now;
  call.write({ put: [annotated(now, { [ORIGINAL_REPLICAS]: String(replicasOf(now)) })] });
  return fresh(call, old);
}

/** `scaleUp` */
function scaleUp(
  call: Call,
  old: ReplicationController,
  next: ReplicationController,
  desired: number,
  settings: UpdateSettings,
): ReplicationController {
  if (replicasOf(next) === desired) return next;
  const room = desired + settings.maxSurge - (replicasOf(old) + replicasOf(next));
  const increment = replicasOf(old) === 0 ? desired - replicasOf(next) : room;
  if (increment <= 0) return next;
  const replicas = Math.min(desired, replicasOf(next) + increment);
  call.say(`Scaling ${nameOf(next)} up to ${replicas}`);
  setReplicas(call, fresh(call, next), replicas);
  return waitForReplicas(call, next, settings);
}

/** `scaleDown`: never below what is to be kept, counting only new pods that are ready. */
function scaleDown(
  call: Call,
  old: ReplicationController,
  nextBefore: ReplicationController,
  desired: number,
  keep: number,
  settings: UpdateSettings,
): ReplicationController {
  if (replicasOf(old) === 0) return old;
  const next = fresh(call, nextBefore);
  const current = fresh(call, old);
  const unavailable = replicasOf(next) - readyOf(next);
  const decrement = replicasOf(current) + replicasOf(next) - keep - unavailable;
  if (decrement <= 0) return current;
  const isDone = replicasOf(next) === desired && unavailable === 0;
  const replicas = isDone ? 0 : Math.max(0, replicasOf(current) - decrement);
  call.say(`Scaling ${nameOf(old)} down to ${replicas}`);
  setReplicas(call, current, replicas);
  return waitForReplicas(call, old, settings);
}

/** `scaleAndWait`: until the controller has made or deleted its pods. */
function waitForReplicas(
  call: Call,
  controller: ReplicationController,
  { interval, timeout }: UpdateSettings,
): ReplicationController {
  const begin = call.now;
  for (;;) {
    const now = fresh(call, controller);
    if ((now.status?.replicas ?? 0) === replicasOf(now)) return now;
    if (call.now - begin > timeout) throw new CommandError("error: timed out waiting for the condition");
    call.session.plane.advance(interval);
  }
}
