import type { KubernetesObject } from "../../../cluster/objects/store.ts";
import { CommandError } from "../../session/command.ts";
import type { Call, Subcommand } from "../call.ts";
import { selected, selections } from "../get.ts";
import { tabbed } from "../table.ts";
import { describeNode } from "./node.ts";
import { describeNamespace, describeOther } from "./other.ts";
import { describePod } from "./pod.ts";
import { describeEndpoints, describeService } from "./service.ts";
import { describeController, describeDaemonSet, describeDeployment, describeJob } from "./workload.ts";

/** `kubectl describe KIND [NAME…]`, `-l SELECTOR` */
export const describeCommand: Subcommand = {
  name: "describe",
  options: { selector: { type: "string", short: "l" }, "show-events": { type: "string" } },
  run(call) {
    const [first, ...names] = call.words;
    if (first === undefined)
      throw new CommandError("error: You must specify the type of resource to describe.");
    const objects = selections(first, names).flatMap((one) => selected(call, one));
    if (objects.length === 0) call.io.err("No resources found.\n");
    call.io.out(objects.map((object) => tabbed(describe(call, object))).join("\n\n"));
    return undefined;
  },
};

/** Cells are separated by tabs, lines end in newlines (pkg/kubectl/describe.go of 1.5). */
function describe(call: Call, object: KubernetesObject): string {
  switch (object.kind) {
    case "Pod":
      return describePod(call, object);
    case "Service":
      return describeService(call, object);
    case "Endpoints":
      return describeEndpoints(call, object);
    case "ReplicationController":
    case "ReplicaSet":
      return describeController(call, object);
    case "Deployment":
      return describeDeployment(call, object);
    case "DaemonSet":
      return describeDaemonSet(call, object);
    case "Job":
      return describeJob(call, object);
    case "Node":
      return describeNode(call, object);
    case "Namespace":
      return describeNamespace(object);
    default:
      return describeOther(call, object);
  }
}
