import type { Container, ReplicationController } from "kubernetes-types/core/v1.js";
import { together } from "../../../cluster/controllers/cluster-state.ts";
import { deletePod } from "../../../cluster/controllers/pod-deletion.ts";
import { nameOf } from "../../../cluster/objects/store.ts";
import { CommandError } from "../../session/command.ts";
import type { Call } from "../call.ts";
import { NEXT_CONTROLLER_ID } from "./annotations.ts";
import { annotated, fresh, hashOf, podsMatching, withSpec } from "./controller.ts";

/** `CreateNewControllerFromCurrentController`: the controller with another image, a name and a `deployment` of its own. */
export function withNewImage(
  old: ReplicationController,
  image: string,
  options: {
    newName: string | undefined;
    container: string | undefined;
    key: string;
    pullPolicy: string | undefined;
  },
): ReplicationController {
  const containers = old.spec?.template?.spec?.containers ?? [];
  const chosen = containerFor(containers, options.container);
  if (chosen.image === image && options.pullPolicy === undefined)
    throw new CommandError(
      "error: --image-pull-policy (Always|Never|IfNotPresent) must be provided when --image is the same as existing container image",
    );
  const pull = options.pullPolicy === undefined ? {} : { imagePullPolicy: options.pullPolicy as "Always" };
  const spec = old.spec ?? {};
  const template = spec.template ?? {};
  const changed: ReplicationController = {
    ...old,
    spec: {
      ...spec,
      template: {
        ...template,
        spec: {
          ...template.spec,
          containers: containers.map((one) => (one === chosen ? { ...one, image, ...pull } : one)),
        },
      },
    },
  };
  const hash = hashOf(changed);
  const { labels, namespace } = old.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: {
      name: options.newName ?? `${nameOf(old)}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
    },
    spec: withDeploymentKey(changed, options.key, hash).spec ?? {},
  };
}

function containerFor(containers: readonly Container[], name: string | undefined): Container {
  if (name === undefined) {
    if (containers.length > 1)
      throw new CommandError("error: must specify container to update when updating a multi-container pod");
    return containers[0]!;
  }
  const found = containers.find((one) => one.name === name);
  if (found === undefined) throw new CommandError(`error: container ${name} not found in pod`);
  return found;
}

function withDeploymentKey(
  controller: ReplicationController,
  key: string,
  value: string,
): ReplicationController {
  const { template = {}, selector = {} } = controller.spec ?? {};
  const labels = { ...template.metadata?.labels, [key]: value };
  return {
    ...controller,
    spec: {
      ...controller.spec,
      selector: { ...selector, [key]: value },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/**
 * `UpdateExistingReplicationController`: the old controller is told its successor; where its pods do not have the
 * deployment label yet, it gets one, then they, then its selector.
 */
export function markOld(
  call: Call,
  old: ReplicationController,
  key: string,
  newName: string,
): ReplicationController {
  const marked = annotated(old, { [NEXT_CONTROLLER_ID]: newName });
  if (old.spec?.selector?.[key] !== undefined) {
    call.write({ put: [marked] });
    return fresh(call, old);
  }
  const value = `${hashOf(old)}-orig`;
  const { selector = {} } = old.spec ?? {};
  const labelled = withDeploymentKey(marked, key, value);
  call.write({ put: [withSpec(labelled, { selector })] });
  call.write({
    put: podsMatching(call, old, selector)
      .filter(({ metadata }) => metadata?.labels?.[key] === undefined)
      .map((pod) => ({
        ...pod,
        metadata: { ...pod.metadata, labels: { ...pod.metadata?.labels, [key]: value } },
      })),
  });
  call.write({ put: [withSpec(fresh(call, old), { selector: { ...selector, [key]: value } })] });
  const strays = podsMatching(call, old, selector).filter(
    ({ metadata }) => metadata?.labels?.[key] === undefined,
  );
  call.write(together(strays.map((pod) => deletePod(pod, call.now))));
  return fresh(call, old);
}
