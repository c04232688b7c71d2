/** Deployment (apps/v1, extensions/v1beta1). */
import { z } from "zod";
import { integer, labelSelector, metadata } from "./field.ts";
import { podTemplate } from "./pod.ts";

export const deploymentSchema = z.looseObject({
  metadata: metadata(),
  spec: z.looseObject({
    replicas: integer(0, 1_000_000).optional(),
    paused: z.boolean().optional(),
    selector: labelSelector().optional(),
    template: podTemplate,
  }),
});
