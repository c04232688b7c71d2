import { verdictLines } from "../../text/verdict-text.ts";
import type { Trace } from "../../trace.ts";
import { gistOf, momentText } from "../gist.ts";
import type { Drawing } from "../layout.ts";
import { Markup, markup, NOTHING } from "../markup.ts";
import type { Diagram, Way } from "../model.ts";
import { PALETTE_CSS } from "../palette.ts";
import { sceneOf, wayClass } from "./scene.ts";
import { SCENE_CSS } from "./style.ts";

const MARGIN = 16;
const LEAST_WIDTH = 640;
const LINE = 17;
const TEXT_CHAR = 6.5;

const CAPTION_CSS = `
text.heading{font:600 17px system-ui,sans-serif;fill:var(--ink)}
text.caption{font:600 13px system-ui,sans-serif}
text.caption.request{fill:var(--request)}text.caption.reply{fill:var(--reply)}text.caption.trouble{fill:var(--trouble)}
text.line{font:12px system-ui,sans-serif;fill:var(--ink)}
text.line.good{fill:var(--good);font-weight:600}text.line.bad{fill:var(--bad);font-weight:600}
`;

interface CaptionLine {
  readonly style: string;
  readonly indent: number;
  readonly text: string;
}

/** A picture that stands for itself: the topology, the numbered ways, below it what happened at each number. */
export function svgOf(diagram: Diagram, drawing: Drawing, trace: Trace): string {
  const width = Math.max(LEAST_WIDTH, drawing.width + 2 * MARGIN);
  const lines = captionOf(diagram, trace).flatMap((line) => wrapped(line, width - 2 * MARGIN));
  const top = 2 * MARGIN + 20;
  const below = top + drawing.height + MARGIN;
  const height = below + LINE * lines.length + MARGIN;
  const left = Math.round((width - drawing.width) / 2);
  return `${
    markup`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">${diagram.title}</title>
<style>${new Markup(PALETTE_CSS + SCENE_CSS + CAPTION_CSS)}</style>
<rect width="${width}" height="${height}" fill="var(--ground)"/>
<text class="heading" x="${MARGIN}" y="${MARGIN + 14}">${diagram.title}</text>
<g transform="translate(${left},${top})">${sceneOf(diagram, drawing, false)}</g>
${lines.map((line, i) => captionLine(line, below + LINE * (i + 1)))}</svg>
`.text
  }`;
}

const captionLine = ({ style, indent, text }: CaptionLine, y: number): Markup =>
  text === ""
    ? NOTHING
    : markup`<text class="${style}" x="${MARGIN + indent}" y="${y}">${text}</text>
`;

function captionOf({ ways }: Diagram, trace: Trace): CaptionLine[] {
  const verdict = verdictLines(trace)
    .filter(({ label }) => label !== "rules")
    .map(({ label, text, good }) => ({
      style: `line ${good ? "good" : "bad"}`,
      indent: 0,
      text: `${label} ${text}`,
    }));
  return [...verdict, ...ways.flatMap(wayLines)];
}

function wayLines(way: Way): CaptionLine[] {
  const heading = {
    style: `caption ${wayClass(way)}`,
    indent: 0,
    text: `${way.title}: ${way.packet.summary}`,
  };
  const hops = way.hops.flatMap((hop) => [
    { style: "line", indent: 0, text: `${hop.number}  ${hop.netns}` },
    ...gistOf(hop).map((moment) => ({ style: "line", indent: 22, text: momentText(moment) })),
  ]);
  return [{ style: "line", indent: 0, text: "" }, heading, ...hops];
}

/** SVG does not break lines: at spaces, by the width that letters have on average. */
function wrapped({ style, indent, text }: CaptionLine, width: number): CaptionLine[] {
  const room = Math.floor((width - indent) / TEXT_CHAR);
  const out: CaptionLine[] = [];
  let current = "";
  for (const word of text.split(" ")) {
    if (current !== "" && current.length + 1 + word.length > room) {
      out.push({ style, indent: indent + (out.length > 0 ? 22 : 0), text: current });
      current = word;
    } else current = current === "" ? word : `${current} ${word}`;
  }
  out.push({ style, indent: indent + (out.length > 0 ? 22 : 0), text: current });
  return out;
}
