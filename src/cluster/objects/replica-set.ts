/** ReplicaSet (apps/v1, extensions/v1beta1). */
import { z } from "zod";
import { integer, labelSelector, metadata } from "./field.ts";
import { podTemplate } from "./pod.ts";

/** `selector` may be absent in extensions/v1beta1: the template's labels then stand for it. */
export const replicaSetSchema = z.looseObject({
  metadata: metadata(),
  spec: z.looseObject({
    replicas: integer(0, 1_000_000).optional(),
    selector: labelSelector().optional(),
    template: podTemplate,
  }),
});
