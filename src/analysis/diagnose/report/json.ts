import { API_VERSION } from "../../../trace/trace.ts";
import { SEVERITIES, type Severity } from "../check.ts";
import type { Finding } from "../finding.ts";
import type { LocatedFinding } from "../locate-findings.ts";

/** What `podpath diagnose -o json` prints. */
export interface Diagnosis {
  readonly apiVersion: "podpath.dev/v1alpha1";
  readonly kind: "Diagnosis";
  readonly findings: readonly LocatedFinding[];
  /** How many there are of each severity. */
  readonly summary: Readonly<Record<Severity, number>>;
}

/** How many findings there are of each severity. */
export const summaryOf = (findings: readonly Finding[]): Record<Severity, number> =>
  Object.fromEntries(
    SEVERITIES.map((severity) => [severity, findings.filter((one) => one.severity === severity).length]),
  ) as Record<Severity, number>;

/** The findings as one JSON document. */
export const diagnosisOf = (findings: readonly LocatedFinding[]): Diagnosis => ({
  apiVersion: API_VERSION,
  kind: "Diagnosis",
  findings,
  summary: summaryOf(findings),
});
