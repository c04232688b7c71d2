import pc from "picocolors";
import { simpleFraction } from "./simple-fraction.ts";
import type { TraceOutcome, TraceSet } from "./trace-set.ts";

const DIGITS = 10;
const LABEL_WIDTH = 9;

/** The outcomes of a request, likeliest first, each with its probability and where packet and answer ended. */
export function renderTraceSet(set: TraceSet, color = false): string {
  const { branches, outcomes, delivered, answered } = set;
  const c = pc.createColors(color);
  const [first] = branches;
  if (first === undefined) return "";
  const { protocol, from, to } = first.trace.request;
  const counted = `${count(branches.length, "branch", "branches")}, ${count(outcomes.length, "outcome", "outcomes")}`;
  const out = [c.bold(`${protocol} ${from} → ${to}: ${counted}`)];
  for (const outcome of outcomes) {
    out.push("", c.bold(share(outcome)));
    for (const { label, text, good } of outcome.lines)
      out.push(`  ${c.bold(label.padEnd(LABEL_WIDTH))}${good ? c.green(text) : c.red(text)}`);
  }
  out.push(
    "",
    `${c.bold("in all".padEnd(LABEL_WIDTH + 2))}delivered ${share(delivered)}; answered ${share(answered)}`,
  );
  return `${out.join("\n")}\n`;
}

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

/** `0.3333333335 ≈ 1/3`, `0.25 = 1/4`, `always`. */
export function share({
  probability,
  denominator,
}: Pick<TraceOutcome, "probability" | "denominator">): string {
  if (denominator === "1") return probability === 1 ? "always" : "never";
  const decimal = String(Number(probability.toFixed(DIGITS)));
  const simple = simpleFraction(probability);
  if (simple === null) return decimal;
  return simple.startsWith("≈") ? `${decimal} ${simple}` : `${decimal} = ${simple}`;
}
