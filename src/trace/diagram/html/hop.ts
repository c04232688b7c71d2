import { type Line, VERBOSE } from "../../text/line.ts";
import type { Trace } from "../../trace.ts";
import { gistOf } from "../gist.ts";
import { changedLayers, type Layer, layersOf } from "../headers.ts";
import { type Markup, markup, NOTHING } from "../markup.ts";
import type { Diagram, Hop, Moment, Way } from "../model.ts";
import { wayClass } from "../svg/scene.ts";

/** A hop that opens: closed it says what matters most, open every step, the rules that decided, the packet's headers. */
export function hopMarkup(diagram: Diagram, way: Way, hop: Hop, { events }: Trace): Markup {
  const kind = diagram.boxes.find(({ id }) => id === hop.box)?.kind ?? "";
  const where = hop.netns === hop.label ? kind : `${kind} in ${hop.netns.slice(0, -hop.label.length - 1)}`;
  return markup`<details class="hop">
<summary><span class="badge ${wayClass(way)}">${hop.number}</span><span class="where"><b>${hop.label}</b> <span class="quiet">${where}</span></span>${endMarkup(hop)}
<span class="gist">${gistOf(hop)
    .filter(({ line }) => line.tone !== "good")
    .map(gistMarkup)}</span></summary>
<div class="steps" id="hop-${hop.number}">
<ol>${hop.moments.filter((moment) => !isEmptyWalk(moment, events)).map(momentMarkup)}</ol>
${packetsMarkup(hop, events)}
</div>
</details>
`;
}

/** A table without rules says nothing. */
function isEmptyWalk({ event, line }: Moment, events: Trace["events"]): boolean {
  const e = events[event];
  return e?.type === "table" && e.rulesWalked === 0 && line.depth === VERBOSE;
}

function endMarkup({ end }: Hop): Markup {
  if (end === "delivered") return markup`<span class="end good">delivered</span>`;
  return end === "dropped" ? markup`<span class="end bad">dropped</span>` : NOTHING;
}

function gistMarkup({ line, change }: Moment): Markup {
  if (change === null) return markup`<span class="tone-${line.tone}">${line.label} ${line.text}</span>`;
  return markup`<span>${changeMarkup(change)}</span>`;
}

function changeMarkup({ what, before, after }: NonNullable<Moment["change"]>): Markup {
  return markup`<span class="label">${what}</span> <span class="change"><s>${before[what]}</s> → <b>${after[what]}</b></span>`;
}

function momentMarkup({ line, outer, change }: Moment): Markup {
  const quoted = change !== null && change.before.inner !== undefined;
  const text = change !== null && !quoted ? changeMarkup(change) : markup`${line.text}`;
  const label = change !== null && !quoted ? NOTHING : markup`<span class="label">${line.label}</span> `;
  return markup`<li class="tone-${line.tone} depth-${line.depth}${outer ? " outer" : ""}">${label}${text}${rulesMarkup(line.children)}</li>
`;
}

function rulesMarkup(rules: readonly Line[]): Markup {
  if (rules.length === 0) return NOTHING;
  return markup`<ul class="rules">${rules.map(
    ({ text, depth, tone }) => markup`<li class="depth-${depth} tone-${tone}">${text}</li>`,
  )}</ul>`;
}

function packetsMarkup({ moments, end }: Hop, events: Trace["events"]): Markup {
  const seen = moments.flatMap(({ event }) => {
    const e = events[event]!;
    if (e.type !== "device" && e.type !== "origin" && e.type !== "deliver") return [];
    return [{ type: e.type, layers: layersOf(e.packet, e.type === "device" && e.link === "ethernet") }];
  });
  const first = seen[0];
  const last = seen.at(-1);
  if (first === undefined || last === undefined) return NOTHING;
  const begins = first.type === "origin" ? "as it is made" : "as it comes";
  if (seen.length === 1) return markup`<div class="packets">${packetMarkup(begins, first.layers)}</div>`;
  return markup`<div class="packets">${packetMarkup(begins, first.layers)}${packetMarkup(
    ENDS[end],
    changedLayers(first.layers, last.layers),
  )}</div>`;
}

const ENDS = { sent: "as it leaves", delivered: "as it is taken", dropped: "as it was last seen" } as const;

function packetMarkup(title: string, layers: readonly Layer[]): Markup {
  return markup`<figure class="packet"><figcaption>${title}</figcaption>${layers.map(
    ({ name, fields, added }) =>
      markup`<div class="layer${added ? " added" : ""}"><b>${name}</b> ${fields.map(fieldMarkup)}</div>`,
  )}</figure>`;
}

function fieldMarkup({ name, value, before }: Layer["fields"][number]): Markup {
  const text =
    before === null ? markup`${value}` : markup`<span class="change"><s>${before}</s> <b>${value}</b></span>`;
  return markup`<span class="field"><i>${name}</i> ${text}</span> `;
}
