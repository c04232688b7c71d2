import { dump } from "js-yaml";

export interface JobOptions {
  /** Parts, each a pod. */
  readonly count: number;
  /** Texts of the topology by file name; together at most what a ConfigMap holds. */
  readonly topology: ReadonlyMap<string, string>;
  readonly image: string;
  readonly seed: number;
}

/** Bytes that a ConfigMap may have (k8s.io/api core/v1: MaxSecretSize). */
const MOST_BYTES = 1024 * 1024;
const NAME = "podpath-reach";

/** The topology does not fit into a ConfigMap. */
export class JobError extends RangeError {
  constructor(message: string) {
    super(message);
    this.name = "JobError";
  }
}

/** Where a part is written: `JOB_COMPLETION_INDEX` is the Job controller's name for a pod's number. */
const partFile = (index: number | string): string => `/results/part-${index}.json`;

/**
 * A reach as a Kubernetes Job in Indexed mode: pod number I does part I of `count` and writes it to a volume that all
 * share; a second Job puts the parts together once they are there. A pod that fails does its part again.
 *
 * @throws JobError when the topology is larger than a ConfigMap may be.
 */
export function jobManifest({ count, topology, image, seed }: JobOptions): string {
  const size = [...topology.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (size > MOST_BYTES)
    throw new JobError(
      `the topology has ${size} bytes, a ConfigMap at most ${MOST_BYTES}: mount a volume with it`,
    );
  const files = [...topology.keys()].map((name) => `/topology/${name}`);
  const inputs = files.flatMap((file) => ["-f", file]);
  const part = ["reach", ...inputs, "--seed", String(seed), "-o", "json"];
  // $(…) is the kubelet's to fill in
  const shard = ["--shard", `$(JOB_COMPLETION_INDEX)/${count}`, "--out", partFile("$(JOB_COMPLETION_INDEX)")];
  const parts = Array.from({ length: count }, (_, i) => partFile(i));
  const documents = [
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: NAME }, data: Object.fromEntries(topology) },
    claim(),
    job(NAME, image, [...part, ...shard], {
      completionMode: "Indexed",
      completions: count,
      parallelism: count,
      backoffLimit: 2 * count,
    }),
    // fails and is tried again until every part is there
    job(`${NAME}-merge`, image, ["merge", ...parts, "-o", "json", "--out", "/results/reach.json"], {
      backoffLimit: 100,
    }),
  ];
  return documents.map((one) => dump(one, { lineWidth: -1 })).join("---\n");
}

function claim(): unknown {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: NAME },
    spec: { accessModes: ["ReadWriteMany"], resources: { requests: { storage: "1Gi" } } },
  };
}

function job(
  name: string,
  image: string,
  args: readonly string[],
  spec: Readonly<Record<string, unknown>>,
): unknown {
  const container = {
    name: "podpath",
    image,
    command: ["podpath"],
    args,
    volumeMounts: [
      { name: "topology", mountPath: "/topology", readOnly: true },
      { name: "results", mountPath: "/results" },
    ],
  };
  const volumes = [
    { name: "topology", configMap: { name: NAME } },
    { name: "results", persistentVolumeClaim: { claimName: NAME } },
  ];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: {
      ...spec,
      template: { spec: { restartPolicy: "Never", containers: [container], volumes } },
    },
  };
}
