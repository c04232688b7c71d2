import { load } from "js-yaml";
import { z } from "zod";
import { RequestError } from "../../trace/request.ts";
import type { Reach, ReachReason, ReachRow } from "./result.ts";

const pair = {
  from: z.string().min(1),
  to: z.string().min(1),
  protocol: z.enum(["tcp", "udp", "sctp"]).optional(),
};
const schema = z.strictObject({
  apiVersion: z.literal("podpath.dev/v1alpha1").optional(),
  kind: z.literal("ReachExpectation").optional(),
  allowed: z.array(z.strictObject({ ...pair, probability: z.number().gt(0).max(1).optional() })).default([]),
  forbidden: z.array(z.strictObject(pair)).default([]),
});

/** Pairs that must be answered, always or as often as said, and pairs of which nothing may be delivered. */
export type Expectation = z.infer<typeof schema>;

/** A pair of patterns: `*` stands for any text without a slash or colon. */
export interface ExpectedPair {
  readonly from: string;
  readonly to: string;
  readonly protocol?: string | undefined;
  readonly probability?: number | undefined;
}

/**
 * Reads a ReachExpectation:
 *
 *     allowed:
 *       - {from: "pod/shop/*", to: "svc/shop/*:*"}
 *       - {from: host/laptop, to: "node/*:30088", probability: 0.75}
 *     forbidden:
 *       - {from: "host/*", to: "pod/*\/*:*"}
 *
 * @throws RequestError with file and field of what is wrong, one a line.
 */
export function readExpectation(file: string, text: string): Expectation {
  let document: unknown;
  try {
    document = load(text, { filename: file });
  } catch (error) {
    throw new RequestError(
      `${file}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`,
    );
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new RequestError(
    parsed.error.issues.map(({ path, message }) => `${file}: ${fieldText(path)}: ${message}`).join("\n"),
  );
}

const fieldText = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? "the document"
    : path
        .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
        .join("")
        .replace(/^\./, "");

/** A pair that is not as expected. */
export interface Difference {
  readonly rule: "allowed" | "forbidden";
  /** Where in the file: `allowed[2]`. */
  readonly at: string;
  readonly pair: ExpectedPair;
  /** Senders of one class that the rule means. */
  readonly from: readonly string[];
  readonly to: string;
  readonly protocol: string;
  readonly delivered: number;
  readonly answered: number;
  readonly because: readonly ReachReason[];
}

/** One rule held against what is. */
export interface Judgement {
  readonly rule: "allowed" | "forbidden";
  readonly at: string;
  readonly pair: ExpectedPair;
  /** Pairs of one sender and one target that the rule means. */
  readonly pairs: number;
  readonly differences: readonly Difference[];
}

/**
 * Holds a whole reach against an expectation, rule by rule.
 *
 * @throws RequestError for a rule that means no pair at all: it guards nothing.
 */
export function judge(reach: Reach, expectation: Expectation, file: string): Judgement[] {
  const rules = (["allowed", "forbidden"] as const).flatMap((rule) =>
    expectation[rule].map((one, i) => ({ rule, at: `${rule}[${i}]`, pair: one as ExpectedPair })),
  );
  const judgements = rules.map((one) => judgeRule(reach, one));
  const idle = judgements.filter(({ pairs }) => pairs === 0);
  if (idle.length > 0)
    throw new RequestError(
      idle
        .map(({ at, pair: { from, to } }) => `${file}: ${at}: no pair is meant by ${from} → ${to}`)
        .join("\n"),
    );
  return judgements;
}

function judgeRule(reach: Reach, one: Pick<Judgement, "rule" | "at" | "pair">): Judgement {
  const from = pattern(one.pair.from);
  const to = pattern(one.pair.to);
  const members = reach.classes.map((names) => names.filter((name) => from.test(name)));
  const differences: Difference[] = [];
  let pairs = 0;
  for (const row of reach.rows) {
    const senders = members[row.from]!;
    if (senders.length === 0 || !to.test(row.to)) continue;
    if (one.pair.protocol !== undefined && one.pair.protocol !== row.protocol) continue;
    pairs += senders.length;
    if (asExpected(one, row)) continue;
    const { delivered, answered, because, protocol } = row;
    differences.push({ ...one, from: senders, to: row.to, protocol, delivered, answered, because });
  }
  return { ...one, pairs, differences };
}

/** As far as rules that count in parts of 2^31 may be from a probability that people write. */
const ROUNDING = 1e-6;

function asExpected(
  { rule, pair: { probability } }: Pick<Judgement, "rule" | "pair">,
  { delivered, answered }: ReachRow,
): boolean {
  if (rule === "forbidden") return delivered === 0;
  return probability === undefined ? answered === 1 : answered >= probability - ROUNDING;
}

/** `pod/*` means every pod's name in every namespace; elsewhere `*` keeps within its part. */
function pattern(text: string): RegExp {
  const parts = text.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const any = /^(?:pod|svc)\/\*$/.test(text) ? ".*" : "[^/:]*";
  return new RegExp(`^${parts.join(any)}$`);
}
