import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { type Fault, TopologyError } from "../load/fault.ts";

/** What is read of `ip -j -d link`. */
const linkSchema = z.object({
  ifindex: z.number(),
  ifname: z.string(),
  link_index: z.number().optional(),
  link_netnsid: z.number().optional(),
  flags: z.array(z.string()),
  mtu: z.number(),
  master: z.string().optional(),
  address: z.string().optional(),
  linkinfo: z
    .object({
      info_kind: z.string().optional(),
      info_data: z.record(z.string(), z.unknown()).optional(),
      info_slave_data: z.object({ hairpin: z.boolean().optional() }).optional(),
    })
    .optional(),
});

const addrSchema = z.object({
  ifname: z.string(),
  addr_info: z.array(
    z.object({
      family: z.string(),
      local: z.string(),
      prefixlen: z.number(),
      broadcast: z.string().optional(),
      scope: z.string(),
    }),
  ),
});

const routeSchema = z.object({
  type: z.string().optional(),
  dst: z.string(),
  gateway: z.string().optional(),
  dev: z.string().optional(),
  prefsrc: z.string().optional(),
  metric: z.number().optional(),
  scope: z.string().optional(),
  protocol: z.string().optional(),
  table: z.union([z.string(), z.number()]).optional(),
  flags: z.array(z.string()),
  metrics: z.array(z.object({ mtu: z.number().optional() })).optional(),
});

const ruleSchema = z.object({ priority: z.number(), table: z.union([z.string(), z.number()]).optional() });

const neighSchema = z.object({
  dst: z.string(),
  dev: z.string(),
  lladdr: z.string().optional(),
  state: z.array(z.string()),
});

const fdbSchema = z.object({
  mac: z.string(),
  ifname: z.string(),
  dst: z.string().optional(),
  master: z.string().optional(),
  state: z.string().optional(),
});

export type LinkRow = z.infer<typeof linkSchema>;
export type AddrRow = z.infer<typeof addrSchema>;
export type RouteRow = z.infer<typeof routeSchema>;
export type NeighRow = z.infer<typeof neighSchema>;
export type FdbRow = z.infer<typeof fdbSchema>;

/** One namespace as it was collected; texts are the tools' own. */
export interface NamespaceSnapshot {
  /** The folder, for messages. */
  readonly folder: string;
  readonly links: readonly LinkRow[];
  readonly addrs: readonly AddrRow[];
  readonly routes: readonly RouteRow[];
  readonly rules: readonly z.infer<typeof ruleSchema>[];
  readonly neighs: readonly NeighRow[];
  readonly fdb: readonly FdbRow[];
  readonly iptablesSave: string;
  readonly iptablesLegacySave: string;
  readonly ipsetSave: string;
  readonly sysctl: string;
  readonly conntrack: string;
  readonly listeners: string;
}

/** A node and its pods as `podpath collect`'s script copied them. */
export interface NodeSnapshot {
  readonly name: string;
  readonly root: NamespaceSnapshot;
  readonly pods: readonly PodSnapshot[];
}

/** A namespace beside the node's own. */
export interface PodSnapshot {
  readonly name: string;
  /** The number by which the node's links name it (`link_netnsid`); null when the node has no name for it. */
  readonly nsid: number | null;
  readonly netns: NamespaceSnapshot;
}

const MARKER = "node-snapshot.json";
const markerSchema = z.object({
  kind: z.literal("NodeSnapshot"),
  metadata: z.object({ name: z.string().min(1) }),
});

/** The snapshots in a folder: itself one, or a folder of some; empty when it holds none. */
export function snapshotFolders(path: string): string[] {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [];
  if (existsSync(join(path, MARKER))) return [path];
  return readdirSync(path)
    .sort()
    .map((name) => join(path, name))
    .filter((folder) => existsSync(join(folder, MARKER)));
}

/** Reads a snapshot. Throws TopologyError with a fault for every file that is not what the script writes. */
export function readSnapshot(folder: string): NodeSnapshot {
  const faults: Fault[] = [];
  const marker = parseJson(join(folder, MARKER), markerSchema, faults);
  const netns = join(folder, "netns");
  const nsids = readNsids(readText(join(folder, "list-id")));
  const pods: PodSnapshot[] = [];
  for (const id of existsSync(netns) ? readdirSync(netns).sort() : []) {
    const name = readText(join(netns, id, "name")).trim() || id;
    const nsid = nsids.get(name) ?? null;
    // one that iproute2 knows by name, but not as a neighbour of this node, hangs on another
    if (nsid === null && existsSync(join(netns, id, "named"))) continue;
    pods.push({ name, nsid, netns: readNamespace(join(netns, id), faults) });
  }
  const root = readNamespace(folder, faults);
  if (marker === null || faults.length > 0) throw new TopologyError(faults);
  return { name: marker.metadata.name, root, pods };
}

/** `ip netns list-id`: `nsid 0 (iproute2 netns name: pod-a)` */
const readNsids = (text: string): Map<string, number> =>
  new Map(
    [...text.matchAll(/^nsid (\d+) \(iproute2 netns name: (.+)\)$/gm)].map(([, id, name]) => [
      name!,
      Number(id),
    ]),
  );

function readNamespace(folder: string, faults: Fault[]): NamespaceSnapshot {
  const rows = <T>(file: string, schema: z.ZodType<T>): T[] =>
    parseJson(join(folder, file), z.array(schema), faults) ?? [];
  const text = (file: string): string => readText(join(folder, file));
  return {
    folder,
    links: rows("link.json", linkSchema),
    addrs: rows("addr.json", addrSchema),
    routes: rows("route.json", routeSchema),
    rules: rows("rule.json", ruleSchema),
    neighs: rows("neigh.json", neighSchema),
    fdb: rows("fdb.json", fdbSchema),
    iptablesSave: text("iptables-save"),
    iptablesLegacySave: text("iptables-legacy-save"),
    ipsetSave: text("ipset-save"),
    sysctl: text("sysctl"),
    conntrack: text("conntrack"),
    listeners: text("ss"),
  };
}

/** A tool that the node lacked left its file empty, or none. */
const readText = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "");

function parseJson<T>(file: string, schema: z.ZodType<T>, faults: Fault[]): T | null {
  const text = readText(file);
  if (text.trim() === "") return schema.safeParse([]).success ? ([] as T) : null;
  const fault = (path: string, message: string): null => {
    faults.push({ file, line: 1, path, object: basename(file), message });
    return null;
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fault("", `is no JSON: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return fault(issue?.path.join(".") ?? "", issue?.message ?? "is not what the tool prints");
}
