import type { Trace } from "../../trace/trace.ts";
import type { Severity, Subject } from "./check.ts";

/** Evidence: a flow that was sent, and what became of it. The trace's event stream is left out. */
export interface Evidence {
  readonly flow: string;
  readonly outcome: string;
  readonly trace: Omit<Trace, "events">;
}

/** Something that is misconfigured, with the flow that shows it. */
export interface Finding {
  readonly id: string;
  readonly severity: Severity;
  readonly subject: Subject;
  /** What is wrong. */
  readonly message: string;
  /** What people see in real life. */
  readonly symptom: string;
  /** A flow that fails because of it. */
  readonly evidence: Evidence;
  /** The command or the YAML that mends it. */
  readonly mend: string;
  /** The same flow with that mended, in a copy of the model; null when nobody can say what the mended model is. */
  readonly mended: Evidence | null;
}
