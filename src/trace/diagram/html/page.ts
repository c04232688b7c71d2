import { verdictLines } from "../../text/verdict-text.ts";
import type { Trace } from "../../trace.ts";
import type { Drawing } from "../layout.ts";
import { Markup, markup, NOTHING } from "../markup.ts";
import type { Diagram } from "../model.ts";
import { PALETTE_CSS } from "../palette.ts";
import { sceneOf, wayClass } from "../svg/scene.ts";
import { SCENE_CSS } from "../svg/style.ts";
import { hopMarkup } from "./hop.ts";
import { PAGE_CSS } from "./style.ts";

/** Nothing is fetched and nothing runs: the page is all there is. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** A page for itself, without scripts: the picture with numbered ways, and each hop to be opened. */
export function pageOf(diagram: Diagram, drawing: Drawing, trace: Trace): string {
  const { width, height } = drawing;
  const picture = markup`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${`the way of ${diagram.title}, drawn`}">${sceneOf(diagram, drawing, true)}</svg>`;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="podpath">
<title>${diagram.title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(PALETTE_CSS + SCENE_CSS + PAGE_CSS)}</style>
</head>
<body>
<header><h1>${diagram.title}</h1>${verdictMarkup(trace)}</header>
<main>
<figure class="picture">${picture}</figure>
<div class="ways">${diagram.ways.map(
    (
      way,
    ) => markup`<section><h2 class="${wayClass(way)}">${way.title}</h2><p class="quiet">${way.packet.summary}</p>
${way.hops.map((hop) => hopMarkup(diagram, way, hop, trace))}</section>
`,
  )}${connectionsMarkup(trace)}</div>
</main>
</body>
</html>
`.text;
}

const verdictMarkup = (trace: Trace): Markup =>
  markup`<dl class="verdict">${verdictLines(trace).map(({ label, text, good }) => {
    const tone = label === "rules" ? "quiet" : good ? "good" : "bad";
    return markup`<dt>${label}</dt><dd class="${tone}">${text}</dd>`;
  })}</dl>`;

function connectionsMarkup({ conntrack }: Trace): Markup {
  if (conntrack.length === 0) return NOTHING;
  return markup`<section><h2>connections tracked</h2><div class="scroll"><table>
<thead><tr><th>namespace</th><th>protocol</th><th>original</th><th>reply</th><th>state</th></tr></thead>
<tbody>${conntrack.map(
    ({ netns, protocol, original, reply, state, flags }) =>
      markup`<tr><td>${netns}</td><td>${protocol}</td><td>${original}</td><td>${reply}</td><td>${[state ?? "", ...flags].join(" ")}</td></tr>`,
  )}</tbody></table></div></section>`;
}
