/** DaemonSet (apps/v1, extensions/v1beta1). */
import { z } from "zod";
import { labelSelector, metadata } from "./field.ts";
import { podTemplate } from "./pod.ts";

export const daemonSetSchema = z.looseObject({
  metadata: metadata(),
  spec: z.looseObject({ selector: labelSelector().optional(), template: podTemplate }),
});
