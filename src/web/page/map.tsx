import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { TopologyView } from "../view/api.ts";
import { columnsFor, mapLayout } from "../view/map-layout.ts";
import { pinnedPods, searchItems, visitsOf, wayOfPacket } from "../view/map-reading.ts";
import { Places } from "../view/places.ts";
import type { Step } from "../view/steps.ts";
import type { Item } from "./item.ts";
import { MapItems, type Marks } from "./map-items.tsx";
import { moveFocus } from "./map-keys.ts";
import { MapLines, MapWays } from "./map-lines.tsx";
import { dragPane, keepInView } from "./map-pane.ts";
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
