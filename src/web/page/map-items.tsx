/** The things on the map that can be chosen: machines, pods, groups of pods, Services. */
import type { HostBox, MapLayout, NodeBox, Rect, ServiceBox, Tile } from "../view/map-layout.ts";
import { ALL_SERVICES } from "../view/map-layout.ts";
import { podName, serviceName } from "../view/names.ts";
import { netnsOf, podId } from "../view/tiles.ts";
import type { Item } from "./item.ts";

export interface ItemEvents {
  readonly onPick: (item: Item) => void;
  readonly onToggle: (group: string) => void;
}

/** What of the map is marked. */
export interface Marks {
  /** Ids of items that a search found; null when nothing is searched. */
  readonly found: ReadonlySet<string> | null;
  /** Texts of the question's source and target. */
  readonly from: string;
  readonly to: string;
  /** In which order the request came by the namespaces. */
  readonly visits: ReadonlyMap<string, readonly number[]>;
}

/** A rectangle as an element's place. */
const placed = ({ x, y, w, h }: Rect) => ({
  left: `${x}px`,
  top: `${y}px`,
  width: `${w}px`,
  height: `${h}px`,
});

/** `kind/name` with or without a port names the item. */
const isNamed = (text: string, name: string): boolean => text === name || text.startsWith(`${name}:`);

function classes(name: string, id: string, names: readonly string[], marks: Marks): string {
  const list = [name];
  if (marks.found !== null) list.push(marks.found.has(id) ? "found" : "dim");
  if (names.some((one) => isNamed(marks.from, one))) list.push("is-source");
  if (names.some((one) => isNamed(marks.to, one))) list.push("is-target");
  return list.join(" ");
}

/** Everything on the map but lines and the packet. */
export function MapItems({ layout, marks, on }: { layout: MapLayout; marks: Marks; on: ItemEvents }) {
  return (
    <>
      {layout.hosts.map((box) => (
        <HostItem key={box.host.name} box={box} marks={marks} on={on} />
      ))}
      {layout.nodes.map((box) => (
        <NodeItem key={box.node.name} box={box} marks={marks} on={on} />
      ))}
      <h2 class="map-heading" style={{ left: "28px", top: `${layout.servicesTop - 4}px` }}>
        Services
      </h2>
      {layout.services.map((box) => (
        <ServiceItem key={`${box.service.namespace}/${box.service.name}`} box={box} marks={marks} on={on} />
      ))}
      {layout.moreServices > 0 && (
        <button
          type="button"
          class="more"
          tabIndex={-1}
          data-item
          style={{ left: "28px", top: `${layout.height - 34}px` }}
          onClick={() => on.onToggle(ALL_SERVICES)}
        >
          {layout.moreServices} more Services
        </button>
      )}
    </>
  );
}

function Visits({ numbers }: { numbers: readonly number[] | undefined }) {
  if (numbers === undefined) return null;
  const most = 3;
  const text = numbers.slice(0, most).join(",") + (numbers.length > most ? "…" : "");
  return (
    <span class="visit" title={`stop ${numbers.join(", ")} of the packet`}>
      {text}
    </span>
  );
}

function HostItem({ box: { host, rect, nics }, marks, on }: { box: HostBox; marks: Marks; on: ItemEvents }) {
  const id = `host:${host.name}`;
  const address = nics.length === 0 ? "" : (host.nics[0]?.addresses[0] ?? "");
  return (
    <>
      <button
        type="button"
        tabIndex={-1}
        data-item={id}
        class={classes("machine host", id, [`host/${host.name}`], marks)}
        style={placed(rect)}
        onClick={() => on.onPick({ kind: "host", id, host, rect })}
      >
        <span class="name">{host.name}</span>
        <span class="address">{address}</span>
        <Visits numbers={marks.visits.get(host.name)} />
      </button>
      {nics.map((nic) => (
        <span key={nic.name} class="device nic" style={placed(nic.rect)}>
          {nic.name}
        </span>
      ))}
    </>
  );
}

function NodeItem({ box, marks, on }: { box: NodeBox; marks: Marks; on: ItemEvents }) {
  const { node, rect, nic, core, tunnel, bridge, tiles } = box;
  const id = `node:${node.name}`;
  return (
    <>
      <button
        type="button"
        tabIndex={-1}
        data-item={id}
        class={classes("machine node", id, [`node/${node.name}`], marks)}
        style={placed(rect)}
        onClick={() => on.onPick({ kind: "node", id, node, rect })}
      >
        <span class="name">{node.name}</span>
        <span class="address">
          {node.ip}, pods {node.podCIDR}
        </span>
        <Visits numbers={marks.visits.get(node.name)} />
      </button>
      <span class="device nic" style={placed(nic.rect)}>
        {nic.name}
      </span>
      <span class="device core" style={placed(core)}>
        rules and routes
      </span>
      {tunnel !== null && (
        <span class="device tunnel" style={placed(tunnel)}>
          {node.tunnel}
        </span>
      )}
      <span class="device bridge" style={placed(bridge)}>
        {node.bridge} {node.bridgeAddress}
      </span>
      {tiles.map((tile) => (
        <TileItem key={tile.kind === "pod" ? podId(tile.pod) : tile.key} tile={tile} marks={marks} on={on} />
      ))}
    </>
  );
}

/** A tile wider than this has room for an address. */
const WIDE = 160;

function TileItem({ tile, marks, on }: { tile: Tile; marks: Marks; on: ItemEvents }) {
  if (tile.kind === "group") {
    const { key, label, pods, rect } = tile;
    const stem = label.split("/").at(-1);
    const unready = pods.filter(({ ready }) => !ready).length;
    const isFound = marks.found !== null && pods.some((pod) => marks.found!.has(podId(pod)));
    const mark = marks.found === null ? "" : isFound ? " found" : " dim";
    return (
      <button
        type="button"
        tabIndex={-1}
        data-item={key}
        class={`tile group${mark}`}
        style={placed(rect)}
        title={`${label}: ${pods.length} pods${unready > 0 ? `, ${unready} not ready` : ""}`}
        onClick={() => on.onToggle(key)}
      >
        <span class="name">{rect.w > WIDE ? label : stem}</span>
        <span class="count">×{pods.length}</span>
      </button>
    );
  }
  const { pod, rect } = tile;
  const id = podId(pod);
  const label = pod.namespace === "default" ? pod.name : `${pod.namespace}/${pod.name}`;
  const state = pod.ready ? "" : " unready";
  return (
    <button
      type="button"
      tabIndex={-1}
      data-item={id}
      class={`${classes("tile pod", id, [podName(pod), `pod/${pod.namespace}/${pod.name}`], marks)}${state}${pod.hostNetwork ? " host-network" : ""}`}
      style={placed(rect)}
      title={`${label} ${pod.ip}${pod.ready ? "" : ", not ready"}${pod.hostNetwork ? ", in the node's network" : ""}`}
      onClick={() => on.onPick({ kind: "pod", id, pod, rect })}
    >
      <span class="name">{rect.w > WIDE ? label : pod.name}</span>
      {rect.w > WIDE && <span class="address">{pod.ip}</span>}
      {!pod.hostNetwork && <Visits numbers={marks.visits.get(netnsOf(pod))} />}
    </button>
  );
}

function ServiceItem({
  box: { service, rect },
  marks,
  on,
}: {
  box: ServiceBox;
  marks: Marks;
  on: ItemEvents;
}) {
  const { namespace, name, type, clusterIP, ports, endpoints } = service;
  const id = `svc:${namespace}/${name}`;
  const label = namespace === "default" ? name : `${namespace}/${name}`;
  const portText = ports.map(({ port }) => port).join(", ");
  return (
    <button
      type="button"
      tabIndex={-1}
      data-item={id}
      class={classes("tile service", id, [serviceName(service), `svc/${namespace}/${name}`], marks)}
      style={placed(rect)}
      title={`${label}: ${type}, ${endpoints} ready endpoints`}
      onClick={() => on.onPick({ kind: "service", id, service, rect })}
    >
      <span class="name">{label}</span>
      <span class="address">
        {clusterIP === null ? (type === "ExternalName" ? "a name" : "headless") : `${clusterIP}:${portText}`}
        {clusterIP !== null && endpoints === 0 && <span class="empty"> no endpoints</span>}
      </span>
    </button>
  );
}
