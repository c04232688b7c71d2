import type { Endpoints, Service } from "kubernetes-types/core/v1.js";
import { endpointsOf, endpointsText } from "../../../cluster/controllers/endpoints-object.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../../cluster/objects/store.ts";
import type { Call } from "../call.ts";
import { describedEvents } from "../events.ts";
import { labelsText } from "../selector.ts";
import { labelLines } from "./fields.ts";

/** `describeService` */
export function describeService(call: Call, object: KubernetesObject): string {
  const { spec, status, metadata } = object as Service;
  const endpoints = endpointsOf(object as Service, call.store);
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname).join(", ");
  let text = `Name:\t${nameOf(object)}\nNamespace:\t${namespaceOf(object)}\n`;
  text += labelLines("Labels", metadata?.labels);
  text += `Selector:\t${labelsText(spec?.selector)}\nType:\t${spec?.type}\nIP:\t${spec?.clusterIP ?? ""}\n`;
  if ((spec?.externalIPs ?? []).length > 0) text += `External IPs:\t${spec?.externalIPs?.join(",")}\n`;
  if (spec?.externalName) text += `External Name:\t${spec.externalName}\n`;
  if (ingress !== "") text += `LoadBalancer Ingress:\t${ingress}\n`;
  for (const { name = "", port, protocol = "TCP", nodePort } of spec?.ports ?? []) {
    const title = name === "" ? "<unset>" : name;
    text += `Port:\t${title}\t${port}/${protocol}\n`;
    if (nodePort) text += `NodePort:\t${title}\t${nodePort}/${protocol}\n`;
    text += `Endpoints:\t${endpointsText(endpoints, name)}\n`;
  }
  return `${text}Session Affinity:\t${spec?.sessionAffinity}\n${describedEvents(call, object)}`;
}

/** `describeEndpoints` */
export function describeEndpoints(call: Call, object: KubernetesObject): string {
  const { subsets = [], metadata } = object as Endpoints;
  let text = `Name:\t${nameOf(object)}\nNamespace:\t${namespaceOf(object)}\n${labelLines("Labels", metadata?.labels)}Subsets:\n`;
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const list = (all: typeof addresses) => all.map(({ ip }) => ip).join(",") || "<none>";
    text += `  Addresses:\t${list(addresses)}\n  NotReadyAddresses:\t${list(notReadyAddresses)}\n  Ports:\n`;
    text += "    Name\tPort\tProtocol\n    ----\t----\t--------\n";
    for (const { name, port, protocol } of ports) text += `    ${name ?? "<unset>"}\t${port}\t${protocol}\n`;
    text += "\n";
  }
  return text + describedEvents(call, object);
}
