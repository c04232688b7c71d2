import type { ElkExtendedEdge, ElkNode } from "elkjs/lib/elk.bundled.js";
import type { Box, Diagram, Leg, Link } from "./model.ts";

/** Pixels from the drawing's upper left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PlacedBox extends Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedLink extends Link {
  /** Corners of the line, both ends included. */
  readonly points: readonly Point[];
}

export interface PlacedLeg extends Leg {
  readonly points: readonly Point[];
}

/** A diagram with coordinates. `boxes` come outer before inner. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PlacedBox[];
  readonly links: readonly PlacedLink[];
  /** A list of legs for every way of the diagram, in the same order. */
  readonly legs: readonly (readonly PlacedLeg[])[];
}

const LABEL_CHAR = 7.6;
const DETAIL_CHAR = 6.8;
const LINE = 16;
const PADDING = 10;
const HEADING = 28;
const MARGIN = 12;
/** How far a segment's bar reaches beyond the outermost wires, and what a wire takes of it, in pixels. */
const BAR_OVERHANG = 60;
/** Room above a bar's label for the lines that go along it. */
export const BAR_ROOM = 12;
const ROOM_ON_BAR = 170;

const ROOT_OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.json.shapeCoords": "ROOT",
  "elk.json.edgeCoords": "ROOT",
  "elk.padding": `[top=${MARGIN},left=${MARGIN},bottom=${MARGIN},right=${MARGIN}]`,
  "elk.spacing.nodeNode": "24",
  "elk.spacing.edgeNode": "14",
  "elk.spacing.edgeEdge": "12",
  "elk.layered.spacing.nodeNodeBetweenLayers": "30",
  "elk.layered.spacing.edgeNodeBetweenLayers": "14",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};

/** Gives everything in a diagram its place: processes and pods on top, segments below, by ELK's layered algorithm. */
export async function layOut(diagram: Diagram): Promise<Drawing> {
  const nesting = nestingOf(diagram);
  // over a megabyte, which nobody who draws nothing should wait for
  const { default: elk } = await import("elkjs/lib/elk.bundled.js");
  const graph: ElkNode = await new elk.default().layout<ElkNode>({
    id: "drawing",
    layoutOptions: ROOT_OPTIONS,
    children: (nesting.children.get(null) ?? []).map((box) => elkNode(box, nesting)),
    edges: diagram.links.map(({ id, from, to }): ElkExtendedEdge => ({ id, sources: [from], targets: [to] })),
  });
  const placed = new Map<string, PlacedBox>();
  const byId = new Map(diagram.boxes.map((box) => [box.id, box]));
  collect(graph, byId, placed);
  const edges = new Map((graph.edges ?? []).map((edge) => [edge.id, pointsOf(edge)]));
  const links = diagram.links.map((link) => ({ ...link, points: edges.get(link.id) ?? [] }));
  hangOnBar(links, placed);
  const byEnds = new Map(links.map((link) => [endsOf(link), link.points]));
  const legs = diagram.ways.map((way) =>
    way.legs.map((leg) => ({ ...leg, points: legPoints(leg, byEnds, placed) })),
  );
  return {
    width: Math.ceil(Math.max(...[...placed.values()].map(({ x, width }) => x + width))) + MARGIN,
    height: Math.ceil(graph.height ?? 0),
    boxes: [...placed.values()],
    links,
    legs,
  };
}

/** What stands in what, and how long the bars of segments have to be. */
interface Nesting {
  readonly children: ReadonlyMap<string | null, readonly Box[]>;
  readonly bars: ReadonlyMap<string, number>;
}

function nestingOf({ boxes, links }: Diagram): Nesting {
  const children = new Map<string | null, Box[]>();
  for (const box of boxes) {
    const beside = children.get(box.parent);
    if (beside === undefined) children.set(box.parent, [box]);
    else beside.push(box);
  }
  // a bar that is the only one is stretched afterwards; of several each has room for everybody on it
  const single = boxes.filter(({ kind }) => kind === "segment").length < 2;
  const bars = new Map<string, number>();
  if (!single)
    for (const { kind, to } of links) if (kind === "wire") bars.set(to, (bars.get(to) ?? 0) + ROOM_ON_BAR);
  return { children, bars };
}

function elkNode(box: Box, nesting: Nesting): ElkNode {
  const { children, bars } = nesting;
  const inside = children.get(box.id) ?? [];
  const width = textWidth(box);
  if (inside.length === 0) {
    const lines = 2 * PADDING + LINE * (1 + box.details.length);
    const height = box.kind === "segment" ? lines + BAR_ROOM : lines;
    return { id: box.id, width: Math.max(width, bars.get(box.id) ?? 0), height };
  }
  const top = HEADING + LINE * box.details.length;
  // ELK heeds no least width of a box with boxes in it: the widest of them and the padding make it wide enough
  const side = Math.max(MARGIN, Math.ceil((width - contentWidth(inside, nesting)) / 2));
  return {
    id: box.id,
    layoutOptions: { "elk.padding": `[top=${top},left=${side},bottom=${MARGIN},right=${side}]` },
    children: inside.map((one) => elkNode(one, nesting)),
  };
}

/** Room for a box's longest line. */
const textWidth = ({ label, details }: Box): number =>
  2 * PADDING + Math.max(LABEL_CHAR * label.length, ...details.map((line) => DETAIL_CHAR * line.length));

/** What the boxes take at least, one above the other. */
const contentWidth = (boxes: readonly Box[], { children }: Nesting): number =>
  Math.max(
    ...boxes.map((box) => {
      const inside = children.get(box.id) ?? [];
      const within = inside.length === 0 ? 0 : Math.max(...inside.map(textWidth)) + 2 * MARGIN;
      return Math.max(textWidth(box), within);
    }),
  );

function collect(node: ElkNode, byId: ReadonlyMap<string, Box>, placed: Map<string, PlacedBox>): void {
  const box = byId.get(node.id);
  const { x = 0, y = 0, width = 0, height = 0 } = node;
  if (box !== undefined) placed.set(node.id, { ...box, x, y, width, height });
  for (const child of node.children ?? []) collect(child, byId, placed);
}

/**
 * A segment that is the only one lies below everything: it becomes a bar under all that hang on it, by wires that go
 * straight down.
 */
function hangOnBar(
  links: { kind: Link["kind"]; to: string; points: readonly Point[] }[],
  placed: Map<string, PlacedBox>,
): void {
  const segments = [...placed.values()].filter(({ kind }) => kind === "segment");
  const [bar] = segments;
  const wires = links.filter(({ kind, points }) => kind === "wire" && points.length > 0);
  if (bar === undefined || segments.length > 1 || wires.length === 0) return;
  const ends = wires.map(({ points }) => points[0]!.x);
  const left = Math.max(MARGIN, Math.min(...ends) - BAR_OVERHANG);
  const right = Math.max(Math.max(...ends) + BAR_OVERHANG, left + bar.width);
  placed.set(bar.id, { ...bar, x: left, width: right - left });
  for (const wire of wires) {
    const start = wire.points[0]!;
    wire.points = [start, { x: start.x, y: bar.y }];
  }
}

const pointsOf = ({ sections = [] }: ElkExtendedEdge): Point[] =>
  sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);

const endsOf = ({ from, to }: { from: string; to: string }): string => JSON.stringify([from, to]);

/** Along the link between the two boxes, or straight between their middles where there is none. */
function legPoints(
  { from, to }: Leg,
  links: ReadonlyMap<string, readonly Point[]>,
  placed: ReadonlyMap<string, PlacedBox>,
): readonly Point[] {
  const along = links.get(endsOf({ from, to })) ?? links.get(endsOf({ from: to, to: from }))?.toReversed();
  if (along !== undefined && along.length > 0) return along;
  const ends = [placed.get(from), placed.get(to)];
  return ends.every((box) => box !== undefined) ? ends.map(middle) : [];
}

const middle = ({ x, y, width, height }: PlacedBox): Point => ({ x: x + width / 2, y: y + height / 2 });
