import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { diagnose } from "../../../src/analysis/diagnose/diagnose.ts";
import type { Finding } from "../../../src/analysis/diagnose/finding.ts";
import type { ClusterModel } from "../../../src/cluster/objects/model.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";
import { builtInTopology, readSources } from "../../../src/topology/load/source.ts";

/** Path of a topology of the failures, `ID` or `ID.mended`. */
export const failurePath = (name: string): string => builtInTopology(`failures/${name}`);

/** Names of all topologies of the failures. */
export const failureNames = (): string[] =>
  readdirSync(fileURLToPath(new URL("../../../topologies/failures/", import.meta.url))).map((file) =>
    file.replace(/\.yaml$/, ""),
  );

export const modelAt = (path: string): ClusterModel => loadTopology(readSources([path])).model;

export const modelOf = (text: string): ClusterModel => loadTopology([{ file: "test.yaml", text }]).model;

export const diagnoseFailure = (name: string): Finding[] => diagnose(modelAt(failurePath(name)));

/** `SEVERITY ID OBJECT` of each finding. */
export const gist = (findings: readonly Finding[]): string[] =>
  findings.map(({ severity, id, subject }) => {
    const name = "name" in subject ? `/${subject.name}` : "";
    return `${severity} ${id} ${subject.kind}${name}`;
  });
