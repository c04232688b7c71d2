import type { ClusterModel } from "../../cluster/objects/model.ts";
import type { Source } from "../../topology/load/source.ts";
import type { Finding } from "./finding.ts";
import { type Location, locator, subjectText } from "./locate.ts";

/** A finding with its place. */
export interface LocatedFinding extends Finding {
  /** Null when what is wrong is written nowhere: a default. */
  readonly location: Location | null;
  /** Other subjects (`Node/node2`) that the same line makes just as wrong, each proven by a flow of its own. */
  readonly alike: readonly string[];
}

/** Finds the place of each finding. Of those that one line is to blame for, the first stands for all. */
export function locateFindings(
  findings: readonly Finding[],
  sources: readonly Source[],
  model: ClusterModel,
): LocatedFinding[] {
  const locate = locator(sources, model);
  const merged = new Map<string, { first: Finding; location: Location | null; alike: string[] }>();
  for (const finding of findings) {
    const { id, subject } = finding;
    const location = locate(subject);
    const key = `${id} ${JSON.stringify(location ?? subject)}`;
    const same = merged.get(key);
    if (same === undefined) merged.set(key, { first: finding, location, alike: [] });
    else same.alike.push(subjectText(subject));
  }
  return [...merged.values()].map(({ first, location, alike }) => ({ ...first, location, alike }));
}
