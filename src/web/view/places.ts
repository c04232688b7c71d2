/** Where on the map a packet is when something happens to it, and by which way it gets from one place to the next. */
import type { Bus, MapLayout, NicBox, NodeBox, Point, Rect } from "./map-layout.ts";
import type { Step } from "./steps.ts";
import { netnsOf } from "./tiles.ts";

/** A place of the map. `nic` when it is where a machine is wired to a segment. */
export interface Place extends Point {
  readonly nic: NicBox | null;
  /** The height at which it is reached from aside; null where any is right. */
  readonly lane: number | null;
}

/** How far from the left edge of a box its way down runs, so that it covers no name. */
export const SPINE = 11;

/** How far below the bridge the way from port to port runs. */
const PORT_LANE = 5;

const onSpine = ({ x, y, h }: Rect): Place => ({ x: x + SPINE, y: y + h / 2, nic: null, lane: null });

/** Along the axes: at the lane of whoever has one, otherwise aside at the upper end. */
function cornered(from: Place, to: Place): Point[] {
  const own = from.lane ?? to.lane;
  if (from.x === to.x || (own === null && from.y === to.y)) return [from, to];
  const lane = own ?? Math.min(from.y, to.y);
  return [from, { x: from.x, y: lane }, { x: to.x, y: lane }, to];
}

/** Finds places by namespace and device. */
export class Places {
  private readonly layout: MapLayout;
  private readonly nodes: ReadonlyMap<string, NodeBox>;
  /** Pods' tiles, and by which port of the bridge each is reached. */
  private readonly pods = new Map<string, Rect>();
  private readonly ports = new Map<string, Place>();

  constructor(layout: MapLayout) {
    this.layout = layout;
    this.nodes = new Map(layout.nodes.map((box) => [box.node.name, box]));
    for (const { tiles, bridge, node } of layout.nodes)
      for (const tile of tiles)
        for (const pod of tile.kind === "pod" ? [tile.pod] : tile.pods) {
          if (pod.hostNetwork) continue;
          // a pod shown by itself comes after its group, and counts
          this.pods.set(netnsOf(pod), tile.rect);
          const y = bridge.y + bridge.h;
          const port = { ...onSpine(tile.rect), y, lane: y + PORT_LANE };
          if (pod.veth !== null) this.ports.set(`${node.name} ${pod.veth}`, port);
        }
  }

  /** Null for a namespace that is not on the map. */
  of(netns: string, device: string | null): Place | null {
    const node = this.nodes.get(netns);
    if (node !== undefined) return this.inNode(node, device);
    const tile = this.pods.get(netns);
    if (tile !== undefined) return onSpine(tile);
    const host = this.layout.hosts.find((box) => box.host.name === netns);
    if (host === undefined) return null;
    const nic = host.nics.find(({ name }) => name === device);
    if (nic !== undefined) return { ...onSpine(nic.rect), nic };
    // a host has nothing inside that is drawn: what happens in it happens at its NIC
    return onSpine(host.nics[0]?.rect ?? host.rect);
  }

  private inNode({ node, nic, core, tunnel, bridge }: NodeBox, device: string | null): Place {
    if (device === nic.name) return { ...onSpine(nic.rect), x: core.x + SPINE, nic };
    if (device === node.bridge) return onSpine(bridge);
    if (device !== null && device === node.tunnel && tunnel !== null)
      return { ...onSpine(tunnel), lane: (core.y + core.h + bridge.y) / 2 };
    return this.ports.get(`${node.name} ${device}`) ?? onSpine(core);
  }

  /** The points to go by, both ends included. From NIC to NIC the way is along the wire. */
  way(from: Place, to: Place): Point[] {
    const out = from.nic === null ? null : this.bus(from.nic);
    const into = to.nic === null ? null : this.bus(to.nic);
    if (out === null || into === null || from.nic === to.nic || out.segment !== into.segment)
      return cornered(from, to);
    const points: Point[] = [from, { x: from.x, y: out.y }];
    if (out.row !== into.row) points.push({ x: out.left, y: out.y }, { x: into.left, y: into.y });
    return [...points, { x: to.x, y: into.y }, to];
  }

  private bus({ segment, row }: NicBox): Bus | null {
    return this.layout.buses.find((bus) => bus.segment === segment && bus.row === row) ?? null;
  }

  /** The way of all steps one after the other. */
  wayThrough(steps: readonly Step[]): Point[] {
    const points: Point[] = [];
    let last: Place | null = null;
    for (const { netns, device, kind, overheard } of steps) {
      // where the packet itself has not been
      if (kind === "neighbour" || overheard) continue;
      const place = this.of(netns, device);
      if (place === null) continue;
      if (last === null) points.push(place);
      else if (last.x !== place.x || last.y !== place.y) points.push(...this.way(last, place).slice(1));
      last = place;
    }
    return points;
  }
}
