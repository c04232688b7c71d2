import type { ReplicationController } from "kubernetes-types/core/v1.js";
import { nameOf } from "../../../cluster/objects/store.ts";
import { CommandError } from "../../session/command.ts";
import { admit } from "../admission.ts";
import type { Call, Subcommand } from "../call.ts";
import { readManifests } from "../manifest.ts";
import { findObject, resourcesOf } from "../resource.ts";
import { NEXT_CONTROLLER_ID, ORIGINAL_REPLICAS } from "./annotations.ts";
import { cleanUp } from "./cleanup.ts";
import { annotated, controllerNamed } from "./controller.ts";
import { markOld, withNewImage } from "./prepare.ts";
import { replacePods, type UpdateSettings } from "./update.ts";

/** `kubectl rolling-update OLD [NEW] (--image=IMAGE | -f FILE) [--rollback]` (pkg/kubectl/cmd/rollingupdate.go) */
export const rollingUpdateCommand: Subcommand = {
  name: "rolling-update",
  options: {
    filename: { type: "string", short: "f", multiple: true },
    image: { type: "string" },
    "update-period": { type: "string" },
    "poll-interval": { type: "string" },
    timeout: { type: "string" },
    "deployment-label-key": { type: "string" },
    container: { type: "string" },
    "image-pull-policy": { type: "string" },
    rollback: { type: "boolean" },
    "dry-run": { type: "boolean" },
  },
  run(call) {
    const [oldName, newName] = call.words;
    const image = call.text("image");
    const files = call.all("filename");
    if (oldName === undefined) throw new CommandError("error: Must specify the controller to update");
    if (files.length === 0 && image === undefined && !call.has("rollback"))
      throw new CommandError("error: Must specify --filename or --image for new controller");
    if (files.length > 0 && image !== undefined)
      throw new CommandError("error: --filename and --image can not both be specified");
    const old = findObject(
      call.store,
      resourcesOf("rc")[0]!,
      call.namespace,
      oldName,
    ) as ReplicationController;
    const plan = files.length > 0 ? fromFile(call, old) : fromImage(call, old, newName, image);
    const settings = settingsOf(call);
    if (call.has("rollback")) return rollBack(call, old, plan.next, settings);
    const marked = image === undefined ? old : markOld(call, old, keyOf(call), nameOf(plan.next));
    const next = replacePods(call, marked, plan.next, settings);
    cleanUp(call, marked, next, plan.keepsName ? "rename" : "delete");
    const end = plan.keepsName ? "rolling updated" : `rolling updated to "${nameOf(next)}"`;
    call.say(`replicationcontroller "${oldName}" ${end}`);
    return undefined;
  },
};

/** The controller that takes over, and whether it gets the old one's name in the end. */
interface Plan {
  next: ReplicationController;
  keepsName: boolean;
}

const keyOf = (call: Call): string => call.text("deployment-label-key") ?? "deployment";

/** An update that was begun before goes on (`LoadExistingNextReplicationController`). */
function fromImage(
  call: Call,
  old: ReplicationController,
  newName: string | undefined,
  image: string | undefined,
): Plan {
  const noted = newName ?? old.metadata?.annotations?.[NEXT_CONTROLLER_ID];
  const existing = noted === undefined ? null : controllerNamed(call, noted);
  const keepsName = newName === undefined;
  if (call.has("rollback")) {
    if (existing === null)
      throw new CommandError(`error: Could not find ${noted ?? nameOf(old)} to rollback.`);
    return { next: existing, keepsName };
  }
  if (existing !== null) {
    const running = existing.spec?.template?.spec?.containers[0]?.image;
    if (running !== image)
      throw new CommandError(
        `error: Found existing in-progress update to image (${running}).\n` +
          `Either continue in-progress update with --image=${running} or rollback with --rollback`,
      );
    call.say(`Found existing update in progress (${nameOf(existing)}), resuming.`);
    return { next: existing, keepsName };
  }
  if (newName === nameOf(old))
    throw new CommandError(
      `error: ${newName} cannot have the same name as the existing ReplicationController ${nameOf(old)}`,
    );
  const next = withNewImage(old, image!, {
    newName,
    container: call.text("container"),
    key: keyOf(call),
    pullPolicy: call.text("image-pull-policy"),
  });
  return { next, keepsName };
}

function fromFile(call: Call, old: ReplicationController): Plan {
  const [first] = readManifests(call);
  const next = admit(call, first!.object) as ReplicationController;
  if (next.kind !== "ReplicationController")
    throw new CommandError(
      `error: ${call.all("filename")[0]} does not specify a valid ReplicationController`,
    );
  if (nameOf(next) === nameOf(old))
    throw new CommandError(
      `error: ${call.all("filename")[0]} cannot have the same name as the existing ReplicationController ${nameOf(old)}`,
    );
  const selector = old.spec?.selector ?? {};
  const differs = Object.entries(next.spec?.selector ?? {}).some(
    ([key, value]) => key in selector && selector[key] !== value,
  );
  if (!differs)
    throw new CommandError(
      `error: ${call.all("filename")[0]} must specify a matching key with non-equal value in Selector for ${nameOf(old)}`,
    );
  return { next, keepsName: false };
}

function settingsOf(call: Call): UpdateSettings {
  return {
    period: seconds(call.text("update-period") ?? "1m0s"),
    interval: Math.max(1, seconds(call.text("poll-interval") ?? "3s")),
    timeout: seconds(call.text("timeout") ?? "5m0s"),
    maxSurge: 1,
    maxUnavailable: 0,
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** `time.ParseDuration`: `1m30s`, `500ms`. Throws CommandError for a text that is no duration. */
function seconds(text: string): number {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text))
    throw new CommandError(`Error: invalid argument "${text}": time: invalid duration ${text}`);
  let total = 0;
  for (const [, number, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g))
    total += Number(number) * UNITS[unit!]!;
  return total;
}

/** Back to the old controller, with as many replicas as it had. */
function rollBack(
  call: Call,
  old: ReplicationController,
  next: ReplicationController,
  settings: UpdateSettings,
): undefined {
  const original = old.metadata?.annotations?.[ORIGINAL_REPLICAS];
  if (original === undefined)
    throw new CommandError(`error: couldn't find original replica count of "${nameOf(old)}"`);
  call.say(`Setting "${nameOf(old)}" replicas to ${original}`);
  call.write({
    put: [
      annotated(old, {
        [NEXT_CONTROLLER_ID]: null,
        [ORIGINAL_REPLICAS]: null,
        "kubectl.kubernetes.io/desired-replicas": original,
      }),
    ],
  });
  const back = replacePods(call, next, old, settings);
  cleanUp(call, next, back, "delete");
  call.say(`replicationcontroller "${nameOf(old)}" rolling updated`);
  return undefined;
}
