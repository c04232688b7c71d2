import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { TopologyView } from "../view/api.ts";
import { columnsFor, type MapLayout, mapLayout, type Point } from "../view/map-layout.ts";
import { Places, SPINE } from "../view/places.ts";
import type { Step } from "../view/steps.ts";
import { netnsOf, podId } from "../view/tiles.ts";
import type { Item } from "./item.ts";
import { MapItems, type Marks } from "./map-items.tsx";
import { moveFocus } from "./map-keys.ts";
import { PacketMarker } from "./packet-marker.tsx";
import { PickCard } from "./pick-card.tsx";
import { useSettled } from "./use-settled.ts";

interface MapProps {
  readonly view: TopologyView;
  /** All steps of the trace that is shown; empty when there is none. */
  readonly steps: readonly Step[];
  /** The step that is read, and the one before that was. */
  readonly current: Step | null;
  readonly last: Step | null;
  readonly from: string;
  readonly to: string;
  readonly onFrom: (text: string) => void;
  readonly onTo: (text: string) => void;
  readonly onInside: (netns: string) => void;
}

const LEAST_ZOOM = 0.25;
const MOST_ZOOM = 2.5;
const READABLE = 0.72;
const NOTHING: ReadonlySet<string> = new Set();

/** The topology, with the packet on its way. */
export function TopologyMap(props: MapProps) {
  const { view, steps, current, last, from, to } = props;
  const pane = useRef<HTMLDivElement>(null);
  const [paneWidth, setPaneWidth] = useState(800);
  const [zoom, setZoom] = useState(1);
  const [search, setSearch] = useState("");
  const [expanded, setExpanded] = useState(NOTHING);
  const [picked, setPicked] = useState<Item | null>(null);
  const settled = useSettled(search);
  const found = useMemo(() => searchItems(view, settled), [view, settled]);
  const pinned = useSamePins(
    useMemo(() => pinnedPods(view, steps, from, to, found), [view, steps, from, to, found]),
  );
  const columns = columnsFor(view.nodes.length, paneWidth);
  const layout = useMemo(
    () => mapLayout(view, { columns, expanded, pinned }),
    [view, columns, expanded, pinned],
  );
  const places = useMemo(() => new Places(layout), [layout]);
  const way = useMemo(() => wayOfPacket(places, steps, last, current), [places, steps, last, current]);
  const fit = useCallback(() => {
    const width = pane.current?.clientWidth ?? 0;
    setZoom(clamp(Math.max(width / layout.width, width < 500 ? READABLE : LEAST_ZOOM), LEAST_ZOOM, 1.1));
  }, [layout.width]);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => setPaneWidth(pane.current?.clientWidth ?? 800));
    observer.observe(pane.current!);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(fit, [fit, paneWidth]);
  useEffect(() => keepInView(pane.current, way[way.length - 1], zoom), [way]);
  const toggle = useCallback((group: string) => {
    setExpanded((before) => {
      const after = new Set(before);
      if (!after.delete(group)) after.add(group);
      return after;
    });
  }, []);
  const close = (): void => {
    const id = picked?.id;
    setPicked(null);
    if (id !== undefined)
      pane.current?.querySelector<HTMLElement>(`[data-item="${CSS.escape(id)}"]`)?.focus();
  };
  const visits = useMemo(() => visitsOf(steps), [steps]);
  const marks = useMemo<Marks>(() => ({ found, from, to, visits }), [found, from, to, visits]);
  const items = useMemo(
    () => <MapItems layout={layout} marks={marks} on={{ onPick: setPicked, onToggle: toggle }} />,
    [layout, marks, toggle],
  );
  const lines = useMemo(() => <MapLines layout={layout} />, [layout]);
  const ways = useMemo(
    () => <MapWays layout={layout} places={places} steps={steps} />,
    [layout, places, steps],
  );
  const act =
    (action: (text: string) => void) =>
    (text: string): void => {
      close();
      action(text);
    };
  return (
    <section class="map" aria-label="Topology">
      <div class="map-tools">
        <input
          type="search"
          aria-label="Search the topology"
          placeholder="Search by name or address"
          value={search}
          onInput={({ currentTarget }) => setSearch(currentTarget.value)}
        />
        <span class="found-count" role="status">
          {found === null ? "" : `${found.size} found`}
        </span>
        <span class="zoom">
          <button type="button" aria-label="Zoom out" onClick={() => setZoom(clamp(zoom / 1.25))}>
            −
          </button>
          <button type="button" aria-label="Fit to width" onClick={fit}>
            {Math.round(zoom * 100)}%
          </button>
          <button type="button" aria-label="Zoom in" onClick={() => setZoom(clamp(zoom * 1.25))}>
            +
          </button>
        </span>
      </div>
      <section
        class="map-pane"
        ref={pane}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys
        tabIndex={0}
        aria-label="Map: arrow keys go from item to item, Enter chooses"
        onKeyDown={moveFocus}
        onPointerDown={(event) => dragPane(event, pane.current!)}
        onWheel={(event) => {
          if (!event.ctrlKey && !event.metaKey) return;
          event.preventDefault();
          setZoom(clamp(zoom * (event.deltaY < 0 ? 1.1 : 1 / 1.1)));
        }}
      >
        <div
          class="map-sizer"
          style={{ width: `${layout.width * zoom}px`, height: `${layout.height * zoom}px` }}
        >
          <div class="map-world" style={{ transform: `scale(${zoom})` }}>
            {lines}
            {items}
            {ways}
            {current !== null && <PacketMarker way={way} outer={current.outer} tone={current.tone} />}
          </div>
          {picked !== null && (
            <PickCard
              item={picked}
              zoom={zoom}
              within={Math.max(layout.width * zoom, paneWidth)}
              onFrom={act(props.onFrom)}
              onTo={act(props.onTo)}
              onInside={act(props.onInside)}
              onClose={close}
            />
          )}
        </div>
      </section>
    </section>
  );
}

/** The set as it was while it has the same members, so that what is made of it is not made anew. */
function useSamePins(pins: ReadonlySet<string>): ReadonlySet<string> {
  const kept = useRef(pins);
  const isSame = kept.current.size === pins.size && [...pins].every((id) => kept.current.has(id));
  if (!isSame) kept.current = pins;
  return kept.current;
}

const clamp = (zoom: number, least = LEAST_ZOOM, most = MOST_ZOOM): number =>
  Math.min(most, Math.max(least, zoom));

/** Segments, and the inside of machines. */
function MapLines({ layout }: { layout: MapLayout }) {
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

const ROLES = ["request", "reply", "reset", "icmp-error"] as const;
const WAYS: ReadonlySet<string> = new Set(ROLES);

/** The ways of the packet and of what came of it, over the boxes. */
function MapWays({ layout, places, steps }: { layout: MapLayout; places: Places; steps: readonly Step[] }) {
  return (
    <svg class="map-ways" width={layout.width} height={layout.height} aria-hidden="true">
      {ROLES.map((role) => (
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

/** From the last step that was read to the current one by all the steps between, forwards only; otherwise just there. */
function wayOfPacket(
  places: Places,
  steps: readonly Step[],
  last: Step | null,
  current: Step | null,
): Point[] {
  if (current === null) return [];
  const here = places.of(current.netns, current.device);
  if (here === null) return [];
  if (last === null || last === current) return [here];
  const [first, final] = last.index < current.index ? [last, current] : [current, last];
  const between = steps.slice(first.index, final.index + 1).filter(({ of }) => of === current.of);
  const way = places.wayThrough([
    first,
    ...between.filter((step) => step !== first && step !== final),
    final,
  ]);
  return last.index < current.index ? way : way.reverse();
}

/** In which order the request came by the namespaces, counted from 1. */
function visitsOf(steps: readonly Step[]): Map<string, number[]> {
  const visits = new Map<string, number[]>();
  let before = "";
  let stop = 0;
  for (const { netns, of, kind, overheard } of steps) {
    if (of !== "request" || netns === before || kind === "neighbour" || overheard) continue;
    before = netns;
    stop++;
    const known = visits.get(netns);
    if (known === undefined) visits.set(netns, [stop]);
    else known.push(stop);
  }
  return visits;
}

/** Pods found that are shown by themselves; of more than that only the groups are marked. */
const MOST_FOUND_PINNED = 24;

/** Pods that stand by themselves even if their group is closed: those of the question and of the way, and a few that were found. */
function pinnedPods(
  { pods }: TopologyView,
  steps: readonly Step[],
  from: string,
  to: string,
  found: ReadonlySet<string> | null,
): ReadonlySet<string> {
  const namespaces = new Set(
    steps.filter(({ overheard, of }) => !overheard && WAYS.has(of)).map(({ netns }) => netns),
  );
  const isFound = pods.filter((pod) => found?.has(podId(pod)) === true);
  const pinned = new Set(isFound.length <= MOST_FOUND_PINNED ? isFound.map(podId) : []);
  for (const pod of pods) {
    const names = [
      `pod/${pod.namespace}/${pod.name}`,
      ...(pod.namespace === "default" ? [`pod/${pod.name}`] : []),
    ];
    const isAsked = names.some((name) => from === name || to === name || to.startsWith(`${name}:`));
    if (isAsked || (!pod.hostNetwork && namespaces.has(netnsOf(pod)))) pinned.add(podId(pod));
  }
  return pinned;
}

/** Ids of the items whose name or address holds what is searched; null when nothing is. */
function searchItems(
  { pods, nodes, hosts, services }: TopologyView,
  search: string,
): ReadonlySet<string> | null {
  const text = search.trim().toLowerCase();
  if (text === "") return null;
  const found = new Set<string>();
  const look = (id: string, ...words: readonly string[]): void => {
    if (words.some((word) => word.toLowerCase().includes(text))) found.add(id);
  };
  for (const pod of pods) look(podId(pod), pod.name, pod.namespace, pod.ip);
  for (const { name, ip } of nodes) look(`node:${name}`, name, ip);
  for (const { name, nics } of hosts)
    look(`host:${name}`, name, ...nics.flatMap(({ addresses }) => addresses));
  for (const { namespace, name, clusterIP, external } of services)
    look(`svc:${namespace}/${name}`, name, namespace, clusterIP ?? "", ...external);
  return found;
}

function keepInView(pane: HTMLElement | null, point: Point | undefined, zoom: number): void {
  if (pane === null || point === undefined) return;
  const [x, y] = [point.x * zoom, point.y * zoom];
  const margin = 60;
  const isOut =
    x < pane.scrollLeft + margin / 2 ||
    x > pane.scrollLeft + pane.clientWidth - margin / 2 ||
    y < pane.scrollTop + margin / 2 ||
    y > pane.scrollTop + pane.clientHeight - margin / 2;
  if (!isOut) return;
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  pane.scrollTo({ left: x - pane.clientWidth / 2, top: y - pane.clientHeight / 2, behavior });
}

/** The map moves with the mouse; fingers scroll it as they scroll anything. */
function dragPane(event: PointerEvent, pane: HTMLElement): void {
  const target = event.target as HTMLElement;
  if (event.pointerType !== "mouse" || event.button !== 0 || target.closest("button, .pick-card") !== null)
    return;
  const [x, y, left, top] = [event.clientX, event.clientY, pane.scrollLeft, pane.scrollTop];
  const move = (moved: PointerEvent): void => {
    pane.scrollLeft = left + x - moved.clientX;
    pane.scrollTop = top + y - moved.clientY;
  };
  const end = (): void => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", end);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", end);
}
