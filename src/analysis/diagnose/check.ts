import type { ClusterModel } from "../../cluster/objects/model.ts";
import type { Path } from "../../cluster/objects/validate.ts";
import type { Trace } from "../../trace/trace.ts";

/** `error`: flows break. `warning`: something surprising happens to them. `info`: worth knowing. */
export const SEVERITIES = ["error", "warning", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

/**
 * The object that is to blame and the field in it. A Node's `setting` is looked for in the Cluster document first, under
 * `spec.nodes.NAME`, then under `spec.node`; there is one `Cluster` and one `KubeProxyConfiguration` at most.
 */
export type Subject =
  | { readonly kind: "Cluster" | "KubeProxyConfiguration"; readonly path: Path }
  | { readonly kind: "Node"; readonly name: string; readonly setting: Path }
  | { readonly kind: "Host"; readonly name: string; readonly path: Path }
  | {
      readonly kind: "Service" | "Pod" | "EndpointSlice";
      readonly namespace: string;
      readonly name: string;
      readonly path: Path;
    };

/** A flow that was sent through a network, and whether the fault that was looked for decided what became of it. */
export interface Observation {
  /** Who sent what to whom, in words. */
  readonly flow: string;
  readonly trace: Trace;
  /** What became of it, in one line. */
  readonly outcome: string;
  readonly faulty: boolean;
}

/** Something in the model that may break a flow. It is a finding when `observe` shows that it does, and mended does not. */
export interface Suspect {
  readonly subject: Subject;
  /** What is wrong, in one sentence. */
  readonly message: string;
  /** The command or the YAML that mends it. */
  readonly mend: string;
  /** Sends the flow through a new network of that model. Null when the model has no such flow. */
  observe(model: ClusterModel): Observation | null;
  /** The model with the smallest change that mends it; null when nobody can say what that would be. */
  mended(model: ClusterModel): ClusterModel | null;
}

/** One entry of the catalogue: what people see, and where to look for it. */
export interface Check {
  /** The failure's name in the catalogue. */
  readonly id: string;
  readonly severity: Severity;
  /** What people see in real life. */
  readonly symptom: string;
  /** Looks at the model alone: cheap, and never the last word. Of suspects with an equal subject one is enough. */
  suspects(model: ClusterModel): Iterable<Suspect>;
}
