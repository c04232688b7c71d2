/** Lines that several descriptions have. */
import type { Labels } from "../../../cluster/controllers/label-selector.ts";
import { findContainer } from "../../tools/docker-containers.ts";
import type { Call } from "../call.ts";

/** One label a line; later ones begin with an empty cell (`printLabelsMultiline`). */
export function labelLines(title: string, labels: Labels | undefined, innerIndent = ""): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0) return `${title}:\t${innerIndent}<none>\n`;
  return pairs
    .map(([key, value], i) => `${i === 0 ? `${title}:` : ""}\t${innerIndent}${key}=${value}\n`)
    .join("");
}

/** A container's id as docker has it on the pod's node, or "". */
export function containerId(call: Call, namespace: string, pod: string, container: string): string {
  return findContainer(call.session.cluster, namespace, pod, container)?.Id ?? "";
}
