/** Pieces of topologies for tests. Each is one document or more; {@link join} puts `---` between them. */

import type { ClusterModel } from "../../../src/cluster/objects/model.ts";
import { TopologyError } from "../../../src/topology/load/fault.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";

/** Two Nodes: node1 10.1.96.232 with 192.168.97.0/24, node2 10.1.96.233 with 192.168.96.0/24. */
export const NODES = `apiVersion: v1
kind: Node
metadata: {name: node1}
spec: {podCIDR: 192.168.97.0/24}
status: {addresses: [{type: InternalIP, address: 10.1.96.232}]}
---
apiVersion: v1
kind: Node
metadata: {name: node2}
spec: {podCIDR: 192.168.96.0/24}
status: {addresses: [{type: InternalIP, address: 10.1.96.233}]}
`;

/** A Cluster with a block of YAML as its spec. */
export const cluster = (spec: string) => `apiVersion: podpath.dev/v1alpha1
kind: Cluster
metadata: {name: c}
spec:
${spec.replaceAll(/^/gm, "  ")}
`;

/** A Host. */
export const host = (spec: string, name = "laptop") =>
  `apiVersion: podpath.dev/v1alpha1\nkind: Host\nmetadata: {name: ${name}}\nspec: ${spec}\n`;

/** A Pod labelled app=web; `spec` stands in braces, `more` after it. */
export const pod = (name: string, more = "", spec = "containers: [{name: c}]") =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, labels: {app: web}}\nspec: {${spec}}\n${more}`;

/** A Service. */
export const service = (spec: string, name = "web") =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: ${spec}\n`;

/** Documents, one after another. */
export const join = (...documents: string[]) => documents.join("---\n");

/** The messages of a topology in file t.yaml; none when it loads. */
export function messagesOf(text: string): string[] {
  try {
    loadTopology([{ file: "t.yaml", text }]);
  } catch (error) {
    if (error instanceof TopologyError) return error.message.split("\n");
    throw error;
  }
  return [];
}

/** The model of a topology that loads. */
export function modelOf(...documents: string[]): ClusterModel {
  return loadTopology([{ file: "t.yaml", text: join(...documents) }]).model;
}
