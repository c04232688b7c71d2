/** ReplicationController (v1). */
import type { ReplicationController } from "kubernetes-types/core/v1.js";
import { z } from "zod";
import { integer, metadata, stringMap } from "./field.ts";
import { podTemplate } from "./pod.ts";

export const replicationControllerSchema = z.looseObject({
  metadata: metadata(),
  spec: z.looseObject({
    replicas: integer(0, 1_000_000).optional(),
    selector: stringMap().optional(),
    template: podTemplate,
  }),
});

/** Defaults (`SetDefaults_ReplicationController`): one replica, selector and labels from the template. */
export function defaultReplicationController(controller: ReplicationController): ReplicationController {
  const spec = controller.spec ?? {};
  const labels = spec.template?.metadata?.labels ?? {};
  const none = (map: Record<string, string> | undefined) =>
    map === undefined || Object.keys(map).length === 0;
  return {
    ...controller,
    metadata: {
      ...controller.metadata,
      labels: none(controller.metadata?.labels) ? labels : controller.metadata!.labels!,
    },
    spec: { ...spec, replicas: spec.replicas ?? 1, selector: none(spec.selector) ? labels : spec.selector! },
  };
}
