/** A topology, from text to the cluster's model. */
import { blockText, toBlock } from "../../cluster/objects/address.ts";
import type { ClusterModel } from "../../cluster/objects/model.ts";
import { addressBook } from "./address-book.ts";
import { type Context, createContext } from "./context.ts";
import { documentFault, type Fault, TopologyError } from "./fault.ts";
import { resolveHosts } from "./hosts.ts";
import { resolveNodes } from "./nodes.ts";
import { collectObjects, type Findings } from "./objects.ts";
import { resolvePods } from "./pods.ts";
import { resolveSegments } from "./segments.ts";
import { resolveServices } from "./services.ts";
import { resolveFlannel, resolveKubeProxy, resolveServiceRange } from "./settings.ts";
import type { Source } from "./source.ts";
import { parseYaml, type YamlDocument } from "./yaml.ts";

/** A topology that can be built, and what was odd about it. */
export interface LoadedTopology {
  model: ClusterModel;
  warnings: Fault[];
}

/** Name of a cluster whose topology has no Cluster document. */
const DEFAULT_NAME = "cluster";

/**
 * Reads a topology: parses, checks, fills in every default, allocates every address, runs the controllers once.
 *
 * Equal sources give an equal model. Throws {@link TopologyError} with every fault found, in the order of the sources.
 *
 * @param onRead hears of each file how many of its documents are read, and how many there are.
 */
export function loadTopology(
  sources: readonly Source[],
  onRead: ((file: string, done: number, total: number) => void) | null = null,
): LoadedTopology {
  const findings: Findings = { faults: [], warnings: [] };
  const documents: YamlDocument[] = [];
  for (const source of sources)
    if ("error" in source) findings.faults.push(documentFault(source.file, null, source.error));
    else {
      const { file, text } = source;
      const told = onRead === null ? null : (done: number, total: number) => onRead(file, done, total);
      for (const document of parseYaml(file, text, findings.faults, told)) documents.push(document);
    }
  const objects = collectObjects(documents, findings);
  if (documents.length === 0 && findings.faults.length === 0)
    findings.faults.push(documentFault(sources[0]?.file ?? "-", null, "holds no object"));
  // what a broken Cluster says is unknown, and everything is judged by it
  const isJudgeable = ![...objects.broken].some((key) => /^(Cluster|ConfigMap)\//.test(key));
  const model = isJudgeable ? resolve(createContext(objects, findings)) : null;
  if (model === null || findings.faults.length > 0)
    throw new TopologyError(inOrder(findings.faults, sources));
  return { model, warnings: inOrder(findings.warnings, sources) };
}

function resolve(context: Context): ClusterModel {
  const { cluster } = context.objects;
  const flannel = resolveFlannel(context);
  const range = resolveServiceRange(context);
  const segments = resolveSegments(context);
  const book = addressBook();
  const hosts = resolveHosts(context, segments, book);
  const nodes = resolveNodes(context, segments, flannel, book);
  const { store: withPods, pods, podsWithoutSandbox } = resolvePods(context, nodes);
  const podBlocks = nodes.map(({ podCIDR }) => toBlock(podCIDR));
  const resolved = resolveServices(context, withPods, { ...range, podBlocks }, book);
  return {
    name: cluster?.metadata.name ?? DEFAULT_NAME,
    serviceCIDR: blockText(range.block),
    flannel: flannel.model,
    kubeProxy: resolveKubeProxy(context, flannel.model.network),
    segments: segments.map(({ name, block, gateway }) => ({ name, subnet: blockText(block), gateway })),
    nodes,
    hosts,
    pods,
    podsWithoutSandbox,
    services: resolved.services,
    endpointSlices: resolved.endpointSlices,
    store: { ...resolved.store, nodes: new Map(nodes.map(({ name, kubernetes }) => [name, kubernetes])) },
  };
}

/** By file as given, then by line; equal lines stay in the order in which they were found. */
function inOrder(faults: readonly Fault[], sources: readonly Source[]): Fault[] {
  const rank = new Map(sources.map(({ file }, i) => [file, i]));
  const fileRank = ({ file }: Fault) => rank.get(file) ?? -1;
  return [...faults].sort((a, b) => fileRank(a) - fileRank(b) || (a.line ?? 0) - (b.line ?? 0));
}
