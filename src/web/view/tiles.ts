/** Which pods of a node are shown one by one and which as a group. */
import type { PodView } from "./api.ts";

/** What stands in a node's box: one pod, or several under one name. */
export type TileContent =
  | { readonly kind: "pod"; readonly pod: PodView }
  | {
      readonly kind: "group";
      /** Unique in the cluster: `NODE group NAMESPACE/NAME`. */
      readonly key: string;
      readonly label: string;
      readonly pods: readonly PodView[];
    };

export interface TileOptions {
  /** Groups that are opened, by key. */
  readonly expanded: ReadonlySet<string>;
  /** Namespaces of pods that are shown one by one, whatever their group. */
  readonly pinned: ReadonlySet<string>;
  /** Tiles of a node beyond which all that is left goes under one name. */
  readonly mostTiles: number;
}

/** Pods of a node up to which each is shown by itself. */
const FEW = 8;
const LEAST_OF_A_GROUP = 3;

/** The name of a pod's namespace. */
export const netnsOf = ({ node, namespace, name, hostNetwork }: PodView): string =>
  hostNetwork ? node : `${node}/${namespace}/${name}`;

/** Names a pod, also one in its node's network. */
export const podId = ({ namespace, name }: PodView): string => `pod:${namespace}/${name}`;

/** The tiles of one node's pods, in the order of the pods. */
export function tilesOf(node: string, pods: readonly PodView[], options: TileOptions): TileContent[] {
  if (pods.length <= FEW) return pods.map((pod) => ({ kind: "pod", pod }));
  const groups = new Map<string, PodView[]>();
  for (const pod of pods) {
    const name = `${pod.namespace}/${pod.group}`;
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [pod]);
    else members.push(pod);
  }
  const tiles: TileContent[] = [];
  for (const [name, members] of groups) tiles.push(...groupTiles(node, name, members, options));
  return cutToMost(node, tiles, options);
}

function groupTiles(
  node: string,
  name: string,
  pods: readonly PodView[],
  options: TileOptions,
): TileContent[] {
  const { expanded, pinned } = options;
  const single = (pod: PodView): TileContent => ({ kind: "pod", pod });
  if (pods.length < LEAST_OF_A_GROUP) return pods.map(single);
  const key = `${node} group ${name}`;
  const [namespace, stem] = name.split("/") as [string, string];
  const label = namespace === "default" ? stem : name;
  const group: TileContent = { kind: "group", key, label, pods };
  if (expanded.has(key)) return [group, ...pods.map(single)];
  return [group, ...pods.filter((pod) => pinned.has(podId(pod))).map(single)];
}

function cutToMost(node: string, tiles: TileContent[], options: TileOptions): TileContent[] {
  const { expanded, pinned, mostTiles } = options;
  const key = `${node} group others`;
  const isKept = (tile: TileContent): boolean =>
    tile.kind === "pod" ? pinned.has(podId(tile.pod)) : expanded.has(tile.key);
  if (tiles.length <= mostTiles || [...expanded].some((one) => one.startsWith(`${node} `))) {
    if (!expanded.has(key)) return tiles;
  }
  const kept = tiles.slice(0, mostTiles - 1);
  const rest = tiles.slice(mostTiles - 1);
  const hidden = rest.flatMap((tile) => (tile.kind === "pod" ? [tile.pod] : tile.pods));
  const others: TileContent = { kind: "group", key, label: "other pods", pods: hidden };
  if (expanded.has(key)) return [...kept, others, ...rest];
  return [...kept, others, ...rest.filter(isKept)];
}
