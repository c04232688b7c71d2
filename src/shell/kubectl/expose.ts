import type { ReplicaSet } from "kubernetes-types/apps/v1.js";
import type { Pod, ReplicationController, Service, ServicePort } from "kubernetes-types/core/v1.js";
import { type KubernetesObject, nameOf } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import type { Call, Subcommand } from "./call.ts";
import { addObject } from "./create.ts";
import { selected, selections } from "./get.ts";

/** `kubectl expose (rc|pod|service|deployment|rs) NAME --port=N` */
export const exposeCommand: Subcommand = {
  name: "expose",
  options: {
    port: { type: "string" },
    "target-port": { type: "string" },
    name: { type: "string" },
    type: { type: "string" },
    protocol: { type: "string" },
    labels: { type: "string", short: "l" },
    selector: { type: "string" },
    "external-ip": { type: "string" },
    "session-affinity": { type: "string" },
    "cluster-ip": { type: "string" },
  },
  run(call) {
    const [first, ...names] = call.words;
    const [object] =
      first === undefined ? [] : selections(first, names).flatMap((one) => selected(call, one));
    if (object === undefined)
      throw new CommandError("error: You must provide one or more resources by argument or filename.");
    const service = serviceFor(call, object);
    addObject(call, service);
    call.say(`service "${nameOf(service)}" exposed`);
    return undefined;
  },
};

function serviceFor(call: Call, object: KubernetesObject): Service {
  const ports = portsFor(call, object);
  const clusterIP = call.text("cluster-ip");
  const externalIP = call.text("external-ip");
  const affinity = call.text("session-affinity");
  const stated = call.text("labels");
  const labels = stated === undefined ? object.metadata?.labels : pairs(stated);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: call.text("name") ?? nameOf(object),
      namespace: call.namespace,
      ...(labels === undefined ? {} : { labels }),
    },
    spec: {
      ports,
      selector: call.text("selector") === undefined ? selectorFor(object) : pairs(call.text("selector")!),
      type: (call.text("type") ?? "ClusterIP") as NonNullable<Service["spec"]>["type"] & string,
      ...(clusterIP === undefined ? {} : { clusterIP }),
      ...(externalIP === undefined ? {} : { externalIPs: [externalIP] }),
      ...(affinity === undefined ? {} : { sessionAffinity: affinity as "None" | "ClientIP" }),
    },
  };
}

const pairs = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split(",").map((pair) => {
      const [key = "", value = ""] = pair.split("=");
      return [key, value];
    }),
  );

/** The port asked for, or every port that the object's containers have. */
function portsFor(call: Call, object: KubernetesObject): ServicePort[] {
  const protocol = (call.text("protocol") ?? "TCP") as "TCP" | "UDP";
  const target = call.text("target-port");
  const targetPort = target === undefined ? undefined : /^\d+$/.test(target) ? Number(target) : target;
  const stated = call.number("port");
  if (stated !== undefined) return [{ port: stated, protocol, targetPort: targetPort ?? stated }];
  const spec =
    object.kind === "Pod" ? (object as Pod).spec : (object as ReplicationController).spec?.template?.spec;
  const ports = (spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  if (ports.length === 0)
    throw new CommandError("error: couldn't find port via --port flag or introspection");
  return ports.map(({ containerPort, name, protocol: own }, i) => ({
    ...(ports.length > 1 ? { name: name ?? `port-${i + 1}` } : {}),
    port: containerPort,
    protocol: own ?? protocol,
    targetPort: targetPort ?? containerPort,
  }));
}

/** `MapBasedSelectorForObject` */
function selectorFor(object: KubernetesObject): Record<string, string> {
  const selector = selectorOrNull(object);
  if (selector !== null && Object.keys(selector).length > 0) return { ...selector };
  const what = `${object.kind?.toLowerCase()} "${nameOf(object)}"`;
  throw new CommandError(
    `error: couldn't retrieve selectors via --selector flag or introspection: the ${what} has no labels and cannot be exposed`,
  );
}

function selectorOrNull(object: KubernetesObject): Readonly<Record<string, string>> | null {
  switch (object.kind) {
    case "ReplicationController":
      return (object as ReplicationController).spec?.selector ?? null;
    case "Service":
      return (object as Service).spec?.selector ?? null;
    case "Pod":
      return object.metadata?.labels ?? null;
    case "Deployment":
    case "ReplicaSet":
      return (object as ReplicaSet).spec?.selector?.matchLabels ?? null;
    default:
      throw new CommandError(`error: cannot expose a ${object.kind}`);
  }
}
