import Table from "cli-table3";
import { simpleFraction } from "../explore/simple-fraction.ts";
import type { Judgement } from "./expectation.ts";
import type { Reach, ReachRow } from "./result.ts";

export interface TableOptions {
  readonly color: boolean;
  /** Only what is not answered always. */
  readonly failures: boolean;
}

/** So many names are told before they are counted. */
const FEW = 3;
const DIGITS = 6;

/** Target by target who reaches it; senders of equal probability and reason on one line. */
export function reachTable(reach: Reach, { color, failures }: TableOptions): string {
  const table = new Table({
    head: ["to", "from", "delivered", "answered", "because"],
    style: { head: color ? ["bold"] : [], border: color ? ["grey"] : [], compact: true },
    wordWrap: true,
    wrapOnWordBoundary: false,
    colWidths: [38, 40, 11, 11, 60],
  });
  let last = "";
  for (const { row, names } of lines(reach)) {
    if (failures && row.answered === 1) continue;
    const to = row.protocol === "tcp" ? row.to : `${row.to} ${row.protocol}`;
    const because = row.because.map(({ probability, text }) =>
      probability === 1 ? text : `${chance(probability)} ${text}`,
    );
    table.push([
      to === last ? "" : to,
      sendersText(names),
      chance(row.delivered),
      chance(row.answered),
      because.join("\n"),
    ]);
    last = to;
  }
  return `${table.length === 0 ? "" : `${table.toString()}\n`}${totals(reach)}\n`;
}

interface TableLine {
  readonly row: ReachRow;
  readonly names: readonly string[];
}

/** Rows of one target that say the same, with all their senders. */
function lines({ rows, classes }: Reach): TableLine[] {
  const found = new Map<string, { row: ReachRow; names: string[] }>();
  for (const row of rows) {
    const key = JSON.stringify([row.target, row.delivered, row.answered, row.because]);
    const same = found.get(key);
    if (same === undefined) found.set(key, { row, names: [...classes[row.from]!] });
    else same.names.push(...classes[row.from]!);
  }
  return [...found.values()];
}

function sendersText(names: readonly string[]): string {
  if (names.length <= FEW) return names.join("\n");
  const counts = ["pod", "node", "host"].map((kind) => ({
    kind,
    n: names.filter((name) => name.startsWith(`${kind}/`)).length,
  }));
  return counts
    .filter(({ n }) => n > 0)
    .map(({ kind, n }) => `${n} ${kind}${n === 1 ? "" : "s"}`)
    .join(", ");
}

function chance(probability: number): string {
  if (probability === 1) return "always";
  if (probability === 0) return "never";
  return simpleFraction(probability)?.replace("≈ ", "≈") ?? String(Number(probability.toFixed(DIGITS)));
}

function totals({ rows, classes, targets }: Reach): string {
  const count = (wanted: (row: ReachRow) => boolean): number =>
    rows.filter(wanted).reduce((sum, { from }) => sum + classes[from]!.length, 0);
  const senders = new Set(classes.flat()).size;
  const always = count(({ answered }) => answered === 1);
  const never = count(({ answered }) => answered === 0);
  const all = count(() => true);
  return `${senders} senders, ${targets} targets, ${all} pairs: ${always} always answered, ${all - always - never} sometimes, ${never} never`;
}

/** What is not as expected, a line each; nothing when all is. */
export const differencesText = (judgements: readonly Judgement[]): string =>
  judgements
    .flatMap(({ differences }) => differences)
    .map(({ at, rule, from, to, protocol, delivered, answered, because }) => {
      const what =
        rule === "forbidden"
          ? `is delivered: ${chance(delivered)}`
          : `is answered: ${chance(answered)}${because.map(({ text }) => `; ${text}`).join("")}`;
      return `${at}: ${sendersText(from).replaceAll("\n", ", ")} → ${to} ${protocol} ${what}\n`;
    })
    .join("");
