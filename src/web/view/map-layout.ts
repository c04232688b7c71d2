/**
 * Where everything stands on the map. Pure arithmetic on a nest of boxes, so that it is quick for thousands of pods and
 * the same each time.
 *
 * ```
 *   [laptop]      [gw]                hosts
 *  ┌───┴───────────┴────── lan        segments, above each row of nodes, joined at the left
 *  │  [ens33]       [ens33]
 *  │  | rules |tun  | rules |tun      a node: NIC, rules and routes, tunnel,
 *  │  | docker0     | docker0           bridge,
 *  │  | pod pod     | pod pod           pods
 *     services
 * ```
 */
import type { HostView, NodeView, PodView, ServiceView, TopologyView } from "./api.ts";
import { type TileContent, tilesOf } from "./tiles.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rect extends Point {
  readonly w: number;
  readonly h: number;
}

export type Tile = TileContent & { readonly rect: Rect };

export interface NicBox {
  readonly name: string;
  readonly segment: string;
  readonly rect: Rect;
  /** Which row of buses it is wired to, from 0. */
  readonly row: number;
}

export interface NodeBox {
  readonly node: NodeView;
  readonly rect: Rect;
  readonly nic: NicBox;
  /** Rules and routes. */
  readonly core: Rect;
  readonly tunnel: Rect | null;
  readonly bridge: Rect;
  readonly tiles: readonly Tile[];
}

export interface HostBox {
  readonly host: HostView;
  readonly rect: Rect;
  readonly nics: readonly NicBox[];
}

/** A segment's wire above one row. */
export interface Bus {
  readonly segment: string;
  readonly subnet: string;
  readonly row: number;
  readonly y: number;
  readonly left: number;
  readonly right: number;
}

export interface ServiceBox {
  readonly service: ServiceView;
  readonly rect: Rect;
}

export interface MapLayout {
  readonly width: number;
  readonly height: number;
  readonly hosts: readonly HostBox[];
  readonly buses: readonly Bus[];
  readonly nodes: readonly NodeBox[];
  readonly services: readonly ServiceBox[];
  /** Services that are not shown. */
  readonly moreServices: number;
  readonly servicesTop: number;
}

export interface MapOptions {
  /** Columns of nodes. */
  readonly columns: number;
  readonly expanded: ReadonlySet<string>;
  readonly pinned: ReadonlySet<string>;
}

/** The key under which the list of Services is opened. */
export const ALL_SERVICES = "services";

const MARGIN = 28;
const NODE_W = 264;
const GAP = 22;
const PAD = 8;
const TILE_H = 28;
const TILE_GAP = 6;
const WIDE_TILE_W = NODE_W - 2 * PAD;
const TILE_W = (WIDE_TILE_W - TILE_GAP) / 2;
/** Tiles up to which each has a line of its own. */
const FEW_TILES = 8;
const TILES_TOP = 118;
const HOST = { w: 150, h: 54 } as const;
const BUS_GAP = 24;
const CHIP = { w: 198, h: 40 } as const;
const FEW_SERVICES = 24;
const MANY_NODES = 60;
const MOST_TILES = 12;
const MOST_TILES_OF_MANY = 4;

/** Columns for so many nodes on a pane of so many pixels. */
export function columnsFor(nodes: number, paneWidth: number): number {
  const fit = Math.max(1, Math.floor((paneWidth - 2 * MARGIN) / (NODE_W * 0.82 + GAP)));
  if (nodes <= fit * 4) return Math.max(1, Math.min(nodes, fit));
  return Math.max(fit, Math.ceil(Math.sqrt(nodes * 1.4)));
}

/** See the file's head. */
export function mapLayout(view: TopologyView, { columns, expanded, pinned }: MapOptions): MapLayout {
  const width = 2 * MARGIN + columns * NODE_W + (columns - 1) * GAP;
  const hosts = placeHosts(view, width);
  const busZone = view.segments.length * BUS_GAP + 8;
  const buses: Bus[] = [];
  const nodes: NodeBox[] = [];
  const byNode = new Map<string, PodView[]>(view.nodes.map(({ name }) => [name, []]));
  for (const pod of view.pods) byNode.get(pod.node)?.push(pod);
  const mostTiles = view.nodes.length > MANY_NODES ? MOST_TILES_OF_MANY : MOST_TILES;
  let y = hosts.bottom;
  for (let row = 0; row === 0 || row * columns < view.nodes.length; row++) {
    view.segments.forEach(({ name, subnet }, i) => {
      const [left, right] = [10 + 5 * i, width - MARGIN / 2];
      buses.push({ segment: name, subnet, row, y: y + 18 + BUS_GAP * i, left, right });
    });
    y += busZone + 22;
    const inRow = view.nodes.slice(row * columns, (row + 1) * columns);
    let bottom = y;
    for (const [i, node] of inRow.entries()) {
      const tiles = tilesOf(node.name, byNode.get(node.name) ?? [], { expanded, pinned, mostTiles });
      const box = placeNode(node, tiles, { x: MARGIN + i * (NODE_W + GAP), y }, row);
      nodes.push(box);
      bottom = Math.max(bottom, y + box.rect.h);
    }
    y = bottom + GAP;
  }
  const services = placeServices(view.services, y + 24, width, expanded.has(ALL_SERVICES));
  return {
    width,
    height: services.bottom + MARGIN / 2,
    hosts: hosts.boxes,
    buses,
    nodes,
    services: services.boxes,
    moreServices: view.services.length - services.boxes.length,
    servicesTop: y,
  };
}

function placeHosts({ hosts }: TopologyView, width: number): { boxes: HostBox[]; bottom: number } {
  const perRow = Math.max(1, Math.floor((width - 2 * MARGIN + GAP) / (HOST.w + GAP)));
  const rows = Math.ceil(hosts.length / perRow);
  const boxes = hosts.map((host, i): HostBox => {
    const x = MARGIN + (i % perRow) * (HOST.w + GAP);
    const y = 12 + Math.floor(i / perRow) * (HOST.h + 20);
    const nics = host.nics.map(({ name, segment }, n): NicBox => {
      const share = HOST.w / host.nics.length;
      const w = Math.min(64, share - 6);
      return {
        name,
        segment,
        row: 0,
        rect: { x: x + share * (n + 0.5) - w / 2, y: y + HOST.h - 9, w, h: 18 },
      };
    });
    return { host, rect: { x, y, ...HOST }, nics };
  });
  return { boxes, bottom: hosts.length === 0 ? 4 : 12 + rows * (HOST.h + 20) - 8 };
}

function placeNode(node: NodeView, contents: readonly TileContent[], { x, y }: Point, row: number): NodeBox {
  const perRow = contents.length <= FEW_TILES ? 1 : 2;
  const tiles = contents.map((content, i): Tile => {
    const rect = {
      x: x + PAD + (i % perRow) * (TILE_W + TILE_GAP),
      y: y + TILES_TOP + Math.floor(i / perRow) * (TILE_H + TILE_GAP),
      w: perRow === 1 ? WIDE_TILE_W : TILE_W,
      h: TILE_H,
    };
    return { ...content, rect };
  });
  const rows = Math.ceil(tiles.length / perRow);
  const inner = NODE_W - 2 * PAD;
  const tunnelW = node.tunnel === null ? 0 : 92;
  return {
    node,
    rect: { x, y, w: NODE_W, h: TILES_TOP + rows * (TILE_H + TILE_GAP) + PAD - 2 },
    nic: {
      name: node.nic.name,
      segment: node.nic.segment,
      row,
      rect: { x: x + PAD, y: y - 11, w: 92, h: 22 },
    },
    core: { x: x + PAD, y: y + 56, w: inner - (tunnelW === 0 ? 0 : tunnelW + 8), h: 22 },
    tunnel: node.tunnel === null ? null : { x: x + PAD + inner - tunnelW, y: y + 56, w: tunnelW, h: 22 },
    bridge: { x: x + PAD, y: y + 88, w: inner, h: 20 },
    tiles,
  };
}

function placeServices(
  services: readonly ServiceView[],
  top: number,
  width: number,
  all: boolean,
): { boxes: ServiceBox[]; bottom: number } {
  const shown = all ? services : services.slice(0, FEW_SERVICES);
  const perRow = Math.max(1, Math.floor((width - 2 * MARGIN + 10) / (CHIP.w + 10)));
  const boxes = shown.map((service, i) => ({
    service,
    rect: {
      x: MARGIN + (i % perRow) * (CHIP.w + 10),
      y: top + Math.floor(i / perRow) * (CHIP.h + 8),
      ...CHIP,
    },
  }));
  return { boxes, bottom: top + Math.ceil(shown.length / perRow) * (CHIP.h + 8) + (all ? 0 : 20) };
}
