import pc from "picocolors";
import { shortRule } from "../../trace/text/rule-text.ts";
import type { MatchedRule, PacketEnds, RuleAnswer, RulePlace, RuleTrace, RuleTraceSet } from "./result.ts";

export interface RuleTextOptions {
  /** Whole rules as the file has them; otherwise without module names and with the comment at the end. */
  readonly verbose?: boolean;
  /** ANSI colours. */
  readonly color?: boolean;
}

type Colors = ReturnType<typeof pc.createColors>;

const LABEL_WIDTH = 10;

/** What became of the packet: hook by hook the rules that matched, then the last word. */
export function renderRuleTrace(trace: RuleTrace, options: RuleTextOptions = {}): string {
  const c = pc.createColors(options.color ?? false);
  const { request } = trace;
  const out = [
    c.bold(`${request.protocol} ${endsText(trace.before)} ${devicesText(trace)} through ${request.file}`),
    ...hookLines(trace, options, c),
    "",
    ...lastWords(trace, c),
  ];
  return `${out.join("\n")}\n`;
}

/** The branches of chance, the likeliest first, each with what it comes to. */
export function renderRuleTraceSet(set: RuleTraceSet, options: RuleTextOptions = {}): string {
  const c = pc.createColors(options.color ?? false);
  const { branches } = set;
  const [first] = branches;
  if (first === undefined) return "";
  const { request, before } = first.trace;
  const out = [
    c.bold(
      `${request.protocol} ${endsText(before)} ${devicesText(first.trace)} through ${request.file}: ${branches.length} ${branches.length === 1 ? "branch" : "branches"}`,
    ),
  ];
  for (const { probability, numerator, denominator, trace } of [...branches].sort(
    (a, b) => b.probability - a.probability,
  )) {
    const share = denominator === "1" ? "always" : `${probability.toFixed(10)} = ${numerator}/${denominator}`;
    out.push("", c.bold(share), ...lastWords(trace, c).map((one) => `  ${one}`));
    if (options.verbose) out.push(...hookLines(trace, options, c).map((one) => `  ${one}`));
  }
  return `${out.join("\n")}\n`;
}

const endsText = ({ source, destination }: PacketEnds): string => `${source} > ${destination}`;

function devicesText({ request }: RuleTrace): string {
  const words = [
    request.inInterface === null ? "made here" : `in ${request.inInterface}`,
    ...(request.outInterface === null ? [] : [`out ${request.outInterface}`]),
    request.ctstate,
    ...(request.mark === 0 ? [] : [`mark 0x${request.mark.toString(16)}`]),
  ];
  return `(${words.join(", ")})`;
}

function hookLines({ tables, rules, nat }: RuleTrace, { verbose }: RuleTextOptions, c: Colors): string[] {
  const out: string[] = [];
  let at = "";
  for (const { hook, table, rulesWalked } of tables) {
    if (hook !== at) out.push("", c.bold(hook));
    at = hook;
    out.push(`  ${c.cyan(table.padEnd(8))} ${c.dim(`${rulesWalked} rules walked`)}`);
    for (const rule of rules)
      if (rule.hook === hook && rule.table === table) out.push(ruleLine(rule, verbose ?? false, c));
    if (table === "nat")
      for (const one of nat)
        if (one.hook === hook)
          out.push(c.yellow(`    ${one.manip}: ${endsText(one.before)} becomes ${endsText(one.after)}`));
  }
  return out;
}

function ruleLine(
  { chain, rule, target, text, line, verdict }: MatchedRule,
  verbose: boolean,
  c: Colors,
): string {
  const where = `${chain} ${rule}`;
  const said = verbose ? text : shortRule(text).replaceAll("\u00a0", " ");
  const file = line === null ? "" : c.dim(` (line ${line})`);
  // where it goes or stays, the rule has said itself
  const ends = verdict === "drop" || (verdict === "accept" && target !== "ACCEPT");
  return `    ${c.blue(where)}  ${said}${ends && target !== "DROP" ? ` → ${verdict}` : ""}${file}`;
}

function lastWords(trace: RuleTrace, c: Colors): string[] {
  const { before, after, at, answer } = trace;
  const label = (text: string): string => c.bold(text.padEnd(LABEL_WIDTH));
  const good = trace.verdict === "accepted";
  const verdict = at === null ? trace.verdict : `${trace.verdict} in ${placeText(at)}`;
  const out = [`${label("verdict")}${good ? c.green(verdict) : c.red(verdict)}`];
  if (answer !== null) out.push(`${label("answer")}${answerText(answer)}`);
  const changed = endsText(before) !== endsText(after);
  out.push(`${label("nat")}${changed ? `${endsText(before)} becomes ${endsText(after)}` : "none"}`);
  if (before.mark !== after.mark)
    out.push(`${label("mark")}0x${before.mark.toString(16)} becomes 0x${after.mark.toString(16)}`);
  for (const one of trace.log) out.push(`${label("log")}${one}`);
  out.push(`${label("rules")}${trace.rules.length} matched of ${trace.rulesEvaluated} walked`);
  for (const note of trace.notes) out.push(`${label("note")}${note}`);
  return out;
}

function placeText({ hook, table, chain, rule, line, detail }: RulePlace): string {
  const parts: string[] = [table === null ? hook : `${hook} ${table}`];
  if (chain !== null)
    parts.push(rule === 0 || rule === null ? `policy of ${chain}` : `${chain} rule ${rule}`);
  const file = line === null ? "" : ` (line ${line})`;
  return `${parts.join(", ")}${file}${detail === null ? "" : `: ${detail}`}`;
}

const answerText = (answer: RuleAnswer): string =>
  answer.kind === "tcp-reset"
    ? `TCP reset from ${answer.from}`
    : `ICMP ${answer.type}/${answer.code} from ${answer.from}`;
