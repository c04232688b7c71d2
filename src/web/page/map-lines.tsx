import type { MapLayout, Point } from "../view/map-layout.ts";
import { WAY_ROLES } from "../view/map-reading.ts";
import { type Places, SPINE } from "../view/places.ts";
import type { Step } from "../view/steps.ts";

/** Segments, and the inside of machines. */
export function MapLines({ layout }: { layout: MapLayout }) {
  return (
    <svg class="map-lines" width={layout.width} height={layout.height} aria-hidden="true">
      {layout.buses.map(({ segment, subnet, row, y, left, right }) => (
        <g key={`${segment} ${row}`} class="bus">
          <line x1={left} y1={y} x2={right} y2={y} />
          {row === 0 && (
            <text x={right} y={y - 5} text-anchor="end">
              {segment} {subnet}
            </text>
          )}
        </g>
      ))}
      <path class="wires" d={wires(layout)} />
    </svg>
  );
}

/** The ways of the packet and of what came of it, over the boxes. */
export function MapWays({
  layout,
  places,
  steps,
}: {
  layout: MapLayout;
  places: Places;
  steps: readonly Step[];
}) {
  return (
    <svg class="map-ways" width={layout.width} height={layout.height} aria-hidden="true">
      {WAY_ROLES.map((role) => (
        <path
          key={role}
          class={`way ${role}`}
          d={pathOf(places.wayThrough(steps.filter(({ of }) => of === role)))}
        />
      ))}
    </svg>
  );
}

const pathOf = (points: readonly Point[]): string =>
  points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

function wires({ buses, hosts, nodes }: MapLayout): string {
  const parts: string[] = [];
  const busY = (segment: string, row: number): number | undefined =>
    buses.find((bus) => bus.segment === segment && bus.row === row)?.y;
  for (const { nics } of [...hosts, ...nodes.map(({ nic }) => ({ nics: [nic] }))])
    for (const { segment, row, rect } of nics) {
      const y = busY(segment, row);
      if (y !== undefined) parts.push(`M${rect.x + SPINE} ${rect.y + rect.h / 2}V${y}`);
    }
  for (const { nic, core, bridge, tunnel, tiles } of nodes) {
    const spine = core.x + SPINE;
    const ends = tiles.filter(({ rect }) => rect.x === core.x).map(({ rect }) => rect.y);
    parts.push(`M${spine} ${nic.rect.y}V${Math.max(bridge.y, ...ends)}`);
    if (tunnel !== null) parts.push(`M${core.x + core.w} ${core.y + core.h / 2}H${tunnel.x}`);
  }
  for (const bus of buses.filter(({ row }) => row > 0)) {
    const above = busY(bus.segment, bus.row - 1);
    if (above !== undefined) parts.push(`M${bus.left} ${above}V${bus.y}`);
  }
  return parts.join("");
}
