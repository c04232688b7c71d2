import type { Deployment } from "kubernetes-types/apps/v1.js";
import type { Job } from "kubernetes-types/batch/v1.js";
import type { Container, Pod, PodSpec, ReplicationController } from "kubernetes-types/core/v1.js";
import type { KubernetesObject } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import type { Call, Subcommand } from "./call.ts";
import { createObject } from "./create.ts";

/** `kubectl run NAME --image=IMAGE`: a Deployment, or what --restart and --generator say. */
export const runCommand: Subcommand = {
  name: "run",
  options: {
    image: { type: "string" },
    port: { type: "string" },
    hostport: { type: "string" },
    replicas: { type: "string", short: "r" },
    restart: { type: "string" },
    generator: { type: "string" },
    labels: { type: "string", short: "l" },
    expose: { type: "boolean" },
    command: { type: "boolean" },
    env: { type: "string", multiple: true },
    rm: { type: "boolean" },
    stdin: { type: "boolean", short: "i" },
    tty: { type: "boolean", short: "t" },
  },
  run(call) {
    const name = call.words[0];
    if (name === undefined) throw new CommandError("error: NAME is required for run");
    if (call.text("image") === undefined) throw new CommandError("error: Parameter: image is required");
    const labels = labelsFor(call, name);
    createObject(call, objectFor(call, name, labels));
    if (call.has("expose")) {
      const port = call.number("port");
      if (port === undefined) throw new CommandError("error: --port must be set when exposing a service");
      createObject(call, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace: call.namespace },
        spec: { selector: labels, ports: [{ port, protocol: "TCP", targetPort: port }] },
      } as KubernetesObject);
    }
    return undefined;
  },
};

function labelsFor(call: Call, name: string): Record<string, string> {
  const stated = call.text("labels");
  if (stated === undefined) return { run: name };
  return Object.fromEntries(stated.split(",").map((pair) => pair.split("=") as [string, string]));
}

function containerFor(call: Call, name: string): Container {
  const port = call.number("port");
  const hostPort = call.number("hostport");
  const words = [...(call.rest.length > 0 ? call.rest : call.words.slice(1))];
  const env = call
    .all("env")
    .map((pair) => ({ name: pair.split("=")[0] ?? "", value: pair.slice(pair.indexOf("=") + 1) }));
  return {
    name,
    image: call.text("image")!,
    ...(port === undefined
      ? {}
      : { ports: [{ containerPort: port, ...(hostPort === undefined ? {} : { hostPort }) }] }),
    ...(words.length === 0 ? {} : call.has("command") ? { command: words } : { args: words }),
    ...(env.length === 0 ? {} : { env }),
  };
}

function objectFor(call: Call, name: string, labels: Record<string, string>): KubernetesObject {
  const metadata = { name, namespace: call.namespace, labels };
  const restart = call.text("restart") ?? "Always";
  const generator = call.text("generator") ?? GENERATORS[restart];
  const spec: PodSpec = { containers: [containerFor(call, name)] };
  const replicas = call.number("replicas") ?? 1;
  const template = { metadata: { labels }, spec };
  switch (generator) {
    case "run/v1":
      return {
        apiVersion: "v1",
        kind: "ReplicationController",
        metadata,
        spec: { replicas, selector: labels, template },
      } as ReplicationController;
    case "run-pod/v1":
      return {
        apiVersion: "v1",
        kind: "Pod",
        metadata,
        spec: { ...spec, restartPolicy: restart as "Never" },
      } as Pod;
    case "job/v1":
      return {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata,
        spec: { template: { ...template, spec: { ...spec, restartPolicy: restart as "OnFailure" } } },
      } as Job;
    case "deployment/v1beta1":
      return {
        apiVersion: "extensions/v1beta1",
        kind: "Deployment",
        metadata,
        spec: { replicas, selector: { matchLabels: labels }, template },
      } as KubernetesObject as Deployment;
    default:
      throw new CommandError(`error: generator "${generator ?? restart}" not found.`);
  }
}

const GENERATORS: Readonly<Record<string, string>> = {
  Always: "deployment/v1beta1",
  OnFailure: "job/v1",
  Never: "run-pod/v1",
};
