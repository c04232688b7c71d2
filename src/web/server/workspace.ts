import { createHash } from "node:crypto";
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { buildNetwork } from "../../cluster/build/network.ts";
import { documentFault } from "../../topology/load/fault.ts";
import { loadTopology } from "../../topology/load/load.ts";
import type { Source } from "../../topology/load/source.ts";
import type { FaultView, SourceText, TopologyAnswer } from "../view/api.ts";
import { topologyView } from "./topology-view.ts";

/** A topology that somebody works with: the built cluster, whose state is put back after each question. */
export interface OpenTopology {
  readonly answer: TopologyAnswer;
  readonly cluster: SimulatedCluster;
}

/** The one the server was started with, the one as edited, and one to come back to. */
const MOST_OPEN = 3;

/** Built topologies by their id, the least recently used going first. */
export class Workspace {
  readonly seed: number;
  private readonly open = new Map<string, OpenTopology>();

  constructor(seed: number) {
    this.seed = seed;
  }

  /** The topology of an id, or null when it is not (or no longer) there. */
  find(id: string): OpenTopology | null {
    const found = this.open.get(id);
    if (found === undefined) return null;
    this.open.delete(id);
    this.open.set(id, found);
    return found;
  }

  /**
   * Builds a topology from its sources, or takes the one that was built of equal sources.
   *
   * @throws TopologyError with every fault.
   */
  load(sources: readonly Source[]): OpenTopology {
    const id = createHash("sha256").update(JSON.stringify(sources)).digest("hex").slice(0, 32);
    const known = this.find(id);
    if (known !== null) return known;
    const { model, warnings } = loadTopology(sources);
    const cluster = buildNetwork(model, { seed: this.seed });
    const refused = cluster.refused.map((text) => documentFault("", null, text));
    const answer = { id, view: topologyView(cluster), warnings: [...warnings, ...refused] };
    const opened = { answer, cluster };
    this.open.set(id, opened);
    for (const oldest of this.open.keys()) {
      if (this.open.size <= MOST_OPEN) break;
      this.open.delete(oldest);
    }
    return opened;
  }
}

/** Sources whose text is known, as the loader takes them. */
export const asSources = (sources: readonly SourceText[]): Source[] =>
  sources.map(({ file, text }) => ({ file, text }));

/** Faults as the page shows them. */
export const faultViews = (faults: readonly FaultView[]): FaultView[] =>
  faults.map(({ file, line, object, path, message }) => ({ file, line, object, path, message }));
