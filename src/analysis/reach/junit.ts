import type { Judgement } from "./expectation.ts";
import type { Reach } from "./result.ts";

interface TestCase {
  readonly suite: string;
  readonly name: string;
  /** Null when it passes. */
  readonly failure: { readonly message: string; readonly text: string } | null;
}

/**
 * JUnit's XML, as CI systems read it. With judgements a case is a rule of the expectation; without, a target and a class
 * of its senders, which passes when everything is answered.
 */
export function reachJunit(reach: Reach, judgements: readonly Judgement[] | null): string {
  const cases = judgements === null ? casesOf(reach) : judgements.map(caseOf);
  const suites = new Map<string, TestCase[]>();
  for (const one of cases) suites.set(one.suite, [...(suites.get(one.suite) ?? []), one]);
  const failed = (some: readonly TestCase[]): number => some.filter(({ failure }) => failure !== null).length;
  const out = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name=${quoted(`podpath reach ${reach.cluster}`)} tests="${cases.length}" failures="${failed(cases)}">`,
  ];
  for (const [suite, some] of suites) {
    out.push(`  <testsuite name=${quoted(suite)} tests="${some.length}" failures="${failed(some)}">`);
    for (const one of some) out.push(...caseLines(one));
    out.push("  </testsuite>");
  }
  return `${[...out, "</testsuites>"].join("\n")}\n`;
}

function casesOf({ rows, classes }: Reach): TestCase[] {
  return rows.map(({ to, protocol, from, answered, because }) => {
    const [first, ...others] = classes[from]!;
    return {
      suite: `${to} ${protocol}`,
      name: others.length === 0 ? first! : `${first} and ${others.length} like it`,
      failure:
        answered === 1
          ? null
          : {
              message: `answered with probability ${answered}`,
              text: because.map(({ probability, text }) => `${probability} ${text}`).join("\n"),
            },
    };
  });
}

function caseOf({ rule, at, pair: { from, to }, pairs, differences }: Judgement): TestCase {
  const lines = differences.map((one) => {
    const reasons = one.because.map(({ text }) => `; ${text}`).join("");
    return `${one.from.join(", ")} → ${one.to}: delivered ${one.delivered}, answered ${one.answered}${reasons}`;
  });
  const wrong = differences.reduce((sum, one) => sum + one.from.length, 0);
  return {
    suite: rule,
    name: `${at} ${from} → ${to}`,
    failure:
      wrong === 0
        ? null
        : { message: `${wrong} of ${pairs} pairs are not as expected`, text: lines.join("\n") },
  };
}

function caseLines({ suite, name, failure }: TestCase): string[] {
  const head = `    <testcase classname=${quoted(suite)} name=${quoted(name)}`;
  if (failure === null) return [`${head}/>`];
  return [
    `${head}>`,
    `      <failure message=${quoted(failure.message)}>${escaped(failure.text)}</failure>`,
    "    </testcase>",
  ];
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);

const quoted = (text: string): string => `"${escaped(text)}"`;
