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
  const children = new Map<string | null, Box[]>();
  for (const box of diagram.boxes) children.set(box.parent, [...(children.get(box.parent) ?? []), box]);
  const wires = new Map<string, number>();
  for (const { kind, to } of diagram.links) if (kind === "wire") wires.set(to, (wires.get(to) ?? 0) + 1);
  // over a megabyte, which nobody who draws nothing should wait for
  const { default: elk } = await import("elkjs/lib/elk.bundled.js");
  const graph: ElkNode = await new elk.default().layout<ElkNode>({
    id: "drawing",
    layoutOptions: ROOT_OPTIONS,
    children: (children.get(null) ?? []).map((box) => elkNode(box, children, wires)),
    edges: diagram.links.map(({ id, from, to }): ElkExtendedEdge => ({ id, sources: [from], targets: [to] })),
  });
  const placed = new Map<string, PlacedBox>();
  const byId = new Map(diagram.boxes.map((box) => [box.id, box]));
  collect(graph, byId, placed);
  const edges = new Map((graph.edges ?? []).map((edge) => [edge.id, pointsOf(edge)]));
  const links = diagram.links.map((link) => ({ ...link, points: edges.get(link.id) ?? [] }));
  const legs = diagram.ways.map((way) =>
    way.legs.map((leg) => ({ ...leg, points: legPoints(leg, links, placed) })),
  );
  return {
    width: Math.ceil(graph.width ?? 0),
    height: Math.ceil(graph.height ?? 0),
    boxes: [...placed.values()],
    links,
    legs,
  };
}

function elkNode(
  box: Box,
  children: ReadonlyMap<string | null, readonly Box[]>,
  wires: ReadonlyMap<string, number>,
): ElkNode {
  const inside = children.get(box.id) ?? [];
  const width = Math.max(
    2 * PADDING + LABEL_CHAR * box.label.length,
    ...box.details.map((line) => 2 * PADDING + DETAIL_CHAR * line.length),
  );
  if (inside.length === 0) {
    const height = 2 * PADDING + LINE * (1 + box.details.length);
    // a segment is a bar with room for everybody on it
    const bar = 170 * (wires.get(box.id) ?? 0);
    return { id: box.id, width: Math.max(width, bar), height };
  }
  const top = HEADING + LINE * box.details.length;
  return {
    id: box.id,
    layoutOptions: {
      "elk.padding": `[top=${top},left=${MARGIN},bottom=${MARGIN},right=${MARGIN}]`,
      "elk.nodeSize.constraints": "MINIMUM_SIZE",
      "elk.nodeSize.minimum": `(${Math.ceil(width + 24)},0)`,
    },
    children: inside.map((one) => elkNode(one, children, wires)),
  };
}

function collect(node: ElkNode, byId: ReadonlyMap<string, Box>, placed: Map<string, PlacedBox>): void {
  const box = byId.get(node.id);
  const { x = 0, y = 0, width = 0, height = 0 } = node;
  if (box !== undefined) placed.set(node.id, { ...box, x, y, width, height });
  for (const child of node.children ?? []) collect(child, byId, placed);
}

const pointsOf = ({ sections = [] }: ElkExtendedEdge): Point[] =>
  sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);

/** Along the link between the two boxes, or straight between their middles where there is none. */
function legPoints(
  { from, to }: Leg,
  links: readonly PlacedLink[],
  placed: ReadonlyMap<string, PlacedBox>,
): Point[] {
  for (const link of links) {
    if (link.points.length === 0) continue;
    if (link.from === from && link.to === to) return [...link.points];
    if (link.from === to && link.to === from) return [...link.points].reverse();
  }
  const ends = [placed.get(from), placed.get(to)];
  return ends.every((box) => box !== undefined) ? ends.map(middle) : [];
}

const middle = ({ x, y, width, height }: PlacedBox): Point => ({ x: x + width / 2, y: y + height / 2 });
