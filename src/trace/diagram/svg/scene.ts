import {
  BAR_ROOM,
  type Drawing,
  type PlacedBox,
  type PlacedLeg,
  type PlacedLink,
  type Point,
} from "../layout.ts";
import { type Markup, markup, NOTHING } from "../markup.ts";
import type { Diagram, Hop, Way } from "../model.ts";

/** Class of everything that has a way's colour. */
export const wayClass = ({ role }: Way): string =>
  role === "request" || role === "reply" ? role : "trouble";

/** How far a way's line is moved from the middle of the link, so that those there and back lie side by side. */
const sideOf = (way: Way): number => (way.role === "request" ? -3 : 3);

const BADGE_RADIUS = 9;
const BADGE_SHIFT = 15;

/** The drawing without a frame: boxes, links, ways, numbers. A number links to `#hop-N` where the page has that. */
export function sceneOf(diagram: Diagram, drawing: Drawing, linked: boolean): Markup {
  const kinds = new Map(drawing.boxes.map(({ id, kind }) => [id, kind]));
  const isBar = (id: string): boolean => kinds.get(id) === "segment";
  const ways = diagram.ways.map((way, i) => drawWay(way, drawing.legs[i] ?? [], isBar));
  const badges = diagram.ways.flatMap((way, i) =>
    way.hops.map((hop) => drawBadge(way, hop, drawing.legs[i] ?? [], linked)),
  );
  return markup`<defs>${["request", "reply", "trouble"].map(arrowHead)}</defs>
${drawing.boxes.filter((box) => !isOnTop(box)).map(drawBox)}
${drawing.links.map(drawLink)}
${ways}
${drawing.boxes.filter(isOnTop).map(drawBox)}
${drawing.boxes.map(drawLabel)}
${badges}`;
}

/** Devices and processes hide the lines that pass through them; through all else lines are seen. */
const isOnTop = ({ kind }: PlacedBox): boolean => kind === "device" || kind === "process";

const arrowHead = (name: string): Markup =>
  markup`<marker id="arrow-${name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto" markerUnits="userSpaceOnUse"><path class="head ${name}" d="M0,0.5 8,4 0,7.5Z"/></marker>`;

const drawBox = ({ kind, x, y, width, height }: PlacedBox): Markup =>
  markup`<rect class="box ${kind}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${kind === "process" ? round(height / 2) : 6}"/>
`;

function drawLabel(box: PlacedBox, _: number, all: readonly PlacedBox[]): Markup {
  const { id, kind, label, details, x, y, width } = box;
  const isOuter = all.some(({ parent }) => parent === id);
  const left = isOuter ? x + 12 : x + width / 2;
  const top = y + (isOuter ? 19 : kind === "segment" ? 22 + BAR_ROOM : 22);
  return markup`<text class="label ${kind}" x="${round(left)}" y="${round(top)}"${isOuter ? NOTHING : CENTRED}>${label}${details.map(
    (line) => markup`<tspan class="detail" x="${round(left)}" dy="16">${line}</tspan>`,
  )}</text>
`;
}

const CENTRED = markup` text-anchor="middle"`;

const drawLink = ({ kind, points }: PlacedLink): Markup =>
  points.length < 2
    ? NOTHING
    : markup`<path class="link ${kind}" d="${pathData(points)}"/>
`;

function drawWay(way: Way, legs: readonly PlacedLeg[], isBar: (id: string) => boolean): Markup {
  const name = wayClass(way);
  const parts: Markup[] = [];
  let end: Point | null = null;
  let box: string | null = null;
  for (const leg of legs) {
    const points = beside(leg.points, sideOf(way));
    const [start] = points;
    if (start === undefined) continue;
    if (end !== null && box === leg.from && isBar(box)) parts.push(drawInBar(way, leg, end, start));
    const outer = leg.outer ? " outer" : "";
    parts.push(
      markup`<path class="way ${name}${outer}" d="${pathData(points)}" marker-end="url(#arrow-${name})"/>
`,
    );
    end = points[points.length - 1]!;
    box = leg.to;
  }
  return markup`<g>${parts}</g>
`;
}

/** A line along a segment's bar, those there above those back. */
function drawInBar(way: Way, { outer }: PlacedLeg, from: Point, to: Point): Markup {
  const y = Math.max(from.y, to.y) + (way.role === "request" ? 6 : 13);
  const points = [from, { x: from.x, y }, { x: to.x, y }, to];
  return markup`<path class="way ${wayClass(way)}${outer ? " outer" : ""}" d="${pathData(points)}"/>
`;
}

/** The line moved aside; its ends stay at the height of what they touch. */
const beside = (points: readonly Point[], by: number): Point[] =>
  points.map(({ x, y }, i) => ({ x: x + by, y: i === 0 || i === points.length - 1 ? y : y + by }));

function drawBadge(way: Way, hop: Hop, legs: readonly PlacedLeg[], linked: boolean): Markup {
  const own = legs.filter((leg) => leg.hop === hop.number && leg.points.length > 0);
  const at = badgePoint(own, hop === way.hops[0]);
  if (at === null) return NOTHING;
  const x = at.x + (way.role === "request" ? -BADGE_SHIFT : BADGE_SHIFT);
  const circle = markup`<circle class="badge ${wayClass(way)}" cx="${round(x)}" cy="${round(at.y)}" r="${BADGE_RADIUS}"/><text class="number" x="${round(x)}" y="${round(at.y + 3.7)}" text-anchor="middle">${hop.number}</text>`;
  const badge = linked
    ? markup`<a href="#hop-${hop.number}" aria-label="hop ${hop.number}">${circle}</a>
`
    : circle;
  return hop.end === "dropped" ? markup`${badge}${drawEnd(own, at)}` : badge;
}

/** A hop's number stands where the packet comes in; the first one's where it begins. */
function badgePoint(legs: readonly PlacedLeg[], first: boolean): Point | null {
  const [leg] = legs;
  if (leg === undefined) return null;
  return first ? leg.points[0]! : leg.points[leg.points.length - 1]!;
}

/** A cross where the packet ended. */
function drawEnd(legs: readonly PlacedLeg[], fallback: Point): Markup {
  const { x, y } = legs.at(-1)?.points.at(-1) ?? fallback;
  return markup`<path class="cross" d="M${round(x - 7)},${round(y - 7)} l14,14 m0,-14 l-14,14"/>
`;
}

const pathData = (points: readonly Point[]): string =>
  points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${round(x)},${round(y)}`).join(" ");

const round = (n: number): number => Math.round(n * 10) / 10;
