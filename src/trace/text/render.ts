import pc from "picocolors";
import type { Trace } from "../trace.ts";
import { wrapAtMost } from "./layout.ts";
import { BRIEF, type Depth, type Line, type Section, type Tone, VERBOSE } from "./line.ts";
import { sectionsOf } from "./sections.ts";
import { verdictLines } from "./verdict-text.ts";

export interface TextOptions {
  /** Every step, whole rules. */
  readonly verbose?: boolean;
  /** ANSI colours. */
  readonly color?: boolean;
  /** Columns; 100 when left out. */
  readonly width?: number;
}

const DEFAULT_WIDTH = 100;
const LABEL_WIDTH = 16;
/** A rule is cut after so many lines unless everything is wanted. */
const MOST_LINES = 2;
const EVERYTHING = 100;

/** The trace as a tree of text: namespace by namespace, what decided in each, and the last word at the end. */
export function renderTrace(trace: Trace, options: TextOptions = {}): string {
  const { verbose = false, width = DEFAULT_WIDTH } = options;
  const paint = painter(options.color ?? false);
  const { request } = trace;
  const out = [
    paint("title", `${request.protocol} ${request.from} → ${request.to}`),
    ...sectionsOf(trace).flatMap((section) => renderSection(section, { verbose, width, paint })),
    "",
  ];
  for (const { label, text, good } of verdictLines(trace))
    for (const [i, part] of wrapAtMost(text, width - 9, EVERYTHING).entries())
      out.push(
        `${i === 0 ? paint("title", label.padEnd(9)) : " ".repeat(9)}${paint(good ? "good" : "bad", part)}`,
      );
  return `${out.join("\n")}\n`;
}

type Paint = (tone: Tone, text: string) => string;

interface Style {
  readonly verbose: boolean;
  readonly width: number;
  readonly paint: Paint;
}

function painter(color: boolean): Paint {
  const c = pc.createColors(color);
  const tones: Record<Tone, (text: string) => string> = {
    plain: (text) => text,
    title: c.bold,
    device: c.cyan,
    rule: c.blue,
    change: c.yellow,
    good: c.green,
    bad: c.red,
    quiet: c.dim,
  };
  return (tone, text) => (text === "" ? "" : tones[tone](text));
}

function renderSection(section: Section, style: Style): string[] {
  const depth: Depth | 0 = style.verbose ? VERBOSE : section.depth;
  if (depth === 0) return [];
  const heading = section.detail === "" ? section.title : `${section.title}: ${section.detail}`;
  const out = ["", ...wrapAtMost(heading, style.width, EVERYTHING).map((text) => style.paint("title", text))];
  for (const { netns, lines, devices } of shownNamespaces(section, depth)) {
    out.push(
      `  ${style.paint("title", netns)}${devices === "" ? "" : `  ${style.paint("device", devices)}`}`,
    );
    for (const one of lines) out.push(...renderLine(one, depth, 0, style));
  }
  return out;
}

interface ShownNamespace {
  readonly netns: string;
  readonly lines: readonly Line[];
  readonly devices: string;
}

/** What is shown of each namespace at a depth. Visits between which nothing is shown become one. */
function shownNamespaces({ namespaces }: Section, depth: Depth): ShownNamespace[] {
  const merged: { netns: string; lines: Line[] }[] = [];
  const brief = depth === BRIEF;
  for (const { netns, lines } of namespaces) {
    const kept = lines.filter((one) => one.depth <= depth || (brief && isCrossing(one)));
    const last = merged[merged.length - 1];
    if (last?.netns === netns) last.lines.push(...kept);
    else if (kept.length > 0) merged.push({ netns, lines: kept });
  }
  return merged.map(({ netns, lines }) => ({
    netns,
    lines: lines.filter((one) => one.depth <= depth),
    devices: brief ? devicesOf(lines) : "",
  }));
}

const isCrossing = ({ tone, outer }: Line): boolean => tone === "device" && !outer;

/** The devices of a namespace that the packet crossed, as one line says them. */
const devicesOf = (lines: readonly Line[]): string =>
  lines
    .filter(isCrossing)
    .map(({ label }) => label)
    .join(", ");

function renderLine(one: Line, depth: Depth, indent: number, style: Style): string[] {
  const margin = (one.outer ? "    │ " : "    ") + " ".repeat(indent);
  const label = one.label === "" ? "" : one.label.padEnd(LABEL_WIDTH - 1);
  const hang = one.label === "" ? "    " : " ".repeat(Math.max(label.length, LABEL_WIDTH - 1) + 1);
  const room = style.width - margin.length - (one.label === "" ? hang.length : label.length + 1);
  const most = style.verbose || one.tone !== "plain" ? EVERYTHING : MOST_LINES;
  const parts = wrapAtMost(one.text, room, most);
  const out = parts.map((part, i) => {
    if (one.label === "") return `${margin}${i === 0 ? "" : hang}${paintText(one, part, style)}`;
    if (i > 0) return `${margin}${hang}${paintText(one, part, style)}`;
    return `${margin}${paintLabel(one, label, style)} ${paintText(one, part, style)}`.trimEnd();
  });
  const below = one.children.filter((child) => child.depth <= depth);
  return [...out, ...below.flatMap((child) => renderLine(child, depth, indent + 2, style))];
}

const paintLabel = ({ tone }: Line, text: string, { paint }: Style): string =>
  paint(tone === "plain" ? "quiet" : tone, text);

const paintText = ({ tone }: Line, text: string, { paint }: Style): string =>
  paint(tone === "device" ? "plain" : tone, text);
