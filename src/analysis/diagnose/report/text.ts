import { createColors } from "picocolors";
import { wrap } from "../../../trace/text/layout.ts";
import type { Severity } from "../check.ts";
import { subjectText } from "../locate.ts";
import type { LocatedFinding } from "../locate-findings.ts";
import { summaryOf } from "./json.ts";

export interface DiagnosisStyle {
  readonly color: boolean;
  /** Columns. */
  readonly width: number;
}

const LABEL_WIDTH = 10;

/** The findings for people, and how many there are. */
export function renderDiagnosis(findings: readonly LocatedFinding[], style: DiagnosisStyle): string {
  const blocks = findings.map((finding) => findingText(finding, style));
  return `${[...blocks, summaryText(findings)].join("\n\n")}\n`;
}

function findingText(finding: LocatedFinding, { color, width }: DiagnosisStyle): string {
  const paint = createColors(color);
  const tones: Record<Severity, (text: string) => string> = {
    error: paint.red,
    warning: paint.yellow,
    info: paint.cyan,
  };
  const { id, severity, evidence, mended, alike } = finding;
  const row = (label: string, text: string): string =>
    wrap(text, width - LABEL_WIDTH - 2)
      .map((line, i) => `  ${paint.dim((i === 0 ? label : "").padEnd(LABEL_WIDTH))}${line}`)
      .join("\n");
  return [
    `${tones[severity](severity)} ${paint.bold(id)}  ${placeText(finding)}`,
    ...wrap(finding.message, width - 2).map((line) => `  ${line}`),
    ...(alike.length === 0 ? [] : [row("likewise", namesText(alike))]),
    row("symptom", finding.symptom),
    row("flow", evidence.flow),
    row("", evidence.outcome),
    ...(mended === null ? [] : [row("mended", mended.outcome)]),
    `  ${paint.dim("mend".padEnd(LABEL_WIDTH))}${finding.mend}`,
  ].join("\n");
}

const MAX_NAMES = 6;

const namesText = (names: readonly string[]): string =>
  names.length <= MAX_NAMES
    ? names.join(", ")
    : `${names.slice(0, MAX_NAMES).join(", ")} and ${names.length - MAX_NAMES} more`;

/** `FILE:LINE Kind/name field.path` */
function placeText({ location, subject }: LocatedFinding): string {
  if (location === null) return subjectText(subject);
  const { file, line, object, path } = location;
  return [`${file}:${line}`, object, path].filter((part) => part !== "").join(" ");
}

function summaryText(findings: readonly LocatedFinding[]): string {
  if (findings.length === 0) return "nothing is wrong";
  const { error, warning, info } = summaryOf(findings);
  const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;
  return [counted(error, "error"), counted(warning, "warning"), `${info} info`].join(", ");
}
