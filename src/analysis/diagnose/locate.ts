import type { ClusterModel } from "../../cluster/objects/model.ts";
import type { KubernetesObject } from "../../cluster/objects/store.ts";
import type { Path } from "../../cluster/objects/validate.ts";
import { createContext } from "../../topology/load/context.ts";
import type { Fault } from "../../topology/load/fault.ts";
import { collectObjects, type Findings } from "../../topology/load/objects.ts";
import type { Source } from "../../topology/load/source.ts";
import { parseYaml } from "../../topology/load/yaml.ts";
import type { Subject } from "./check.ts";

/** Where a finding's subject stands in the topology. */
export interface Location {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** `Kind/name` of the object that is written there: an owner, where a controller made the subject. */
  readonly object: string;
  /** Field path such as `spec.ports[0].targetPort`; "" for the object as a whole. */
  readonly path: string;
}

/**
 * A function that finds subjects in the sources that the model was loaded from. It gives null for what is written
 * nowhere, a default of the Cluster without a Cluster document.
 */
export function locator(
  sources: readonly Source[],
  model: ClusterModel,
): (subject: Subject) => Location | null {
  const findings: Findings = { faults: [], warnings: [] };
  const documents = sources.flatMap((source) =>
    "error" in source ? [] : parseYaml(source.file, source.text, findings.faults),
  );
  const objects = collectObjects(documents, findings);
  // what controllers made stands in the model alone
  const context = createContext({ ...objects, store: model.store }, findings);
  const at = (object: KubernetesObject, path: Path): Location | null => {
    context.report(object, path, "");
    const fault = findings.faults.pop();
    return fault === undefined ? null : locationOf(fault);
  };
  return (subject) => {
    switch (subject.kind) {
      case "Cluster":
        return objects.cluster === null ? null : at(objects.cluster, subject.path);
      case "Node": {
        const { name, setting } = subject;
        const { cluster, store } = objects;
        for (const path of [
          ["spec", "nodes", name, ...setting],
          ["spec", "node", ...setting],
        ])
          if (cluster !== null && isWritten(cluster, path)) return at(cluster, path);
        const node = store.nodes.get(name);
        // a default that nobody wrote down belongs into the Cluster, a Node's own field into the Node
        if (cluster !== null && setting[0] !== "podCIDR") return at(cluster, ["spec", "node", ...setting]);
        return node === undefined ? null : at(node, ["spec", ...setting]);
      }
      case "KubeProxyConfiguration":
        return at({ kind: subject.kind }, subject.path);
      case "Host":
        return at({ kind: "Host", metadata: { name: subject.name } }, subject.path);
      case "Pod":
        return at(
          model.store.pods.get(`${subject.namespace}/${subject.name}`) ?? stub(subject),
          subject.path,
        );
      case "Service":
      case "EndpointSlice":
        return at(stub(subject), subject.path);
    }
  };
}

const stub = ({ kind, namespace, name }: Extract<Subject, { namespace: string }>): KubernetesObject => ({
  kind,
  metadata: { name, namespace },
});

/** A fault without a file is one whose object stands nowhere. */
const locationOf = ({ file, line, object, path }: Fault): Location | null =>
  file === "" || line === null ? null : { file, line, object, path };

function isWritten(value: unknown, path: Path): boolean {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, step)) return false;
    current = (current as Record<string | number, unknown>)[step];
  }
  return true;
}

/** A subject in words, for findings that stand nowhere. */
export function subjectText(subject: Subject): string {
  switch (subject.kind) {
    case "Cluster":
    case "KubeProxyConfiguration":
      return subject.kind;
    case "Node":
    case "Host":
    case "Service":
    case "Pod":
    case "EndpointSlice":
      return `${subject.kind}/${subject.name}`;
  }
}
