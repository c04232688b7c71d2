/** Pods out of templates (`controller.GetPodFromTemplate`). The template's own name means nothing. */
import type { Pod, PodTemplateSpec } from "kubernetes-types/core/v1.js";
import { type KubernetesObject, nameOf, namespaceOf } from "../objects/store.ts";
import { controllerReference } from "./owner.ts";

/** A new pod of an owner; its name is made by the API server. */
export function podFromTemplate(owner: KubernetesObject, template: PodTemplateSpec, nodeName?: string): Pod {
  const { labels, annotations } = template.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${nameOf(owner)}-`,
      namespace: namespaceOf(owner),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: { ...(template.spec ?? { containers: [] }), ...(nodeName === undefined ? {} : { nodeName }) },
    status: { phase: "Pending" },
  };
}
