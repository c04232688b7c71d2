import type { Check, Severity } from "../check.ts";
import { subjectText } from "../locate.ts";
import type { LocatedFinding } from "../locate-findings.ts";

/** SARIF's words for severities. */
const LEVELS = { error: "error", warning: "warning", info: "note" } as const satisfies Record<
  Severity,
  string
>;

/** Whose log it is. */
export interface SarifTool {
  readonly version: string;
  readonly checks: readonly Check[];
}

const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** The findings as a SARIF 2.1.0 log, which code hosts show beside the lines of the topology. */
export function sarifLog(findings: readonly LocatedFinding[], { version, checks }: SarifTool) {
  return {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "podpath",
            semanticVersion: version,
            rules: checks.map(({ id, severity, symptom }) => ({
              id,
              shortDescription: { text: sentence(symptom) },
              defaultConfiguration: { level: LEVELS[severity] },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: findings.map((finding) => resultOf(finding, checks)),
      },
    ],
  };
}

function resultOf(finding: LocatedFinding, checks: readonly Check[]) {
  const { id, severity, message, evidence, mend, mended, location, subject, alike } = finding;
  const text = [
    `${message}.`,
    ...(alike.length === 0 ? [] : [`Likewise: ${alike.join(", ")}.`]),
    `Evidence: ${evidence.flow}: ${evidence.outcome}.`,
    ...(mended === null ? [] : [`Mended: ${mended.outcome}.`]),
    `Mend: ${mend}`,
  ].join("\n");
  return {
    ruleId: id,
    ruleIndex: checks.findIndex((check) => check.id === id),
    level: LEVELS[severity],
    message: { text },
    locations: [
      {
        ...physicalLocation(location),
        logicalLocations: [
          { fullyQualifiedName: location === null ? subjectText(subject) : nameOf(location), kind: "object" },
        ],
      },
    ],
    partialFingerprints: { "podpath/v1": `${id} ${JSON.stringify(subject)}` },
  };
}

const nameOf = ({ object, path }: { object: string; path: string }): string =>
  path === "" ? object : `${object} ${path}`;

/** Standard input has no place that a reader could open. */
function physicalLocation(location: LocatedFinding["location"]) {
  if (location === null || location.file.startsWith("<")) return {};
  const { file, line } = location;
  return {
    physicalLocation: { artifactLocation: { uri: uriOf(file) }, region: { startLine: line } },
  };
}

const uriOf = (file: string): string => {
  const path = encodeURI(file.replaceAll("\\", "/")).replaceAll("#", "%23").replaceAll("?", "%3F");
  return path.startsWith("/") ? `file://${path}` : path;
};

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
