/** What of a trace and of a search is to be seen on the map. */
import type { TopologyView } from "./api.ts";
import type { Point } from "./map-layout.ts";
import type { Places } from "./places.ts";
import type { Step } from "./steps.ts";
import { netnsOf, podId } from "./tiles.ts";

/** Packets whose ways are drawn. */
export const WAY_ROLES = ["request", "reply", "reset", "icmp-error"] as const;
const WAYS: ReadonlySet<string> = new Set(WAY_ROLES);

/** From the last step that was read to the current one by all the steps between, forwards only; otherwise just there. */
export function wayOfPacket(
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
export function visitsOf(steps: readonly Step[]): Map<string, number[]> {
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
export function pinnedPods(
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
export function searchItems(
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
