import type { ConfigMap } from "kubernetes-types/core/v1.js";
import { type KubernetesObject, nameOf, namespaceOf } from "../../../cluster/objects/store.ts";
import type { Call } from "../call.ts";
import { describedEvents } from "../events.ts";
import { labelLines } from "./fields.ts";

/** `describeNamespace` */
export function describeNamespace(object: KubernetesObject): string {
  return `Name:\t${nameOf(object)}\n${labelLines("Labels", object.metadata?.labels)}Status:\tActive\n\nNo resource quota.\n\nNo resource limits.\n`;
}

/** What every object has, and a ConfigMap's data. */
export function describeOther(call: Call, object: KubernetesObject): string {
  const data = Object.entries((object as ConfigMap).data ?? {}).map(
    ([key, text]) => `${key}:\n----\n${text}\n`,
  );
  return [
    `Name:\t${nameOf(object)}\nNamespace:\t${namespaceOf(object)}\n${labelLines("Labels", object.metadata?.labels)}`,
    data.length === 0 ? "" : `\nData\n====\n${data.join("")}\n`,
    describedEvents(call, object),
  ].join("");
}
