/** Job (batch/v1, extensions/v1beta1). */
import { z } from "zod";
import { integer, labelSelector, metadata } from "./field.ts";
import { podTemplate } from "./pod.ts";

export const jobSchema = z.looseObject({
  metadata: metadata(),
  spec: z.looseObject({
    parallelism: integer(0, 1_000_000).optional(),
    completions: integer(0, 1_000_000).optional(),
    suspend: z.boolean().optional(),
    selector: labelSelector().optional(),
    template: podTemplate,
  }),
  status: z.looseObject({ succeeded: integer(0, 1_000_000).optional() }).optional(),
});
