import { describe, expect, it } from "vitest";
import { diagnose } from "../../../src/analysis/diagnose/diagnose.ts";
import type { ClusterModel } from "../../../src/cluster/objects/model.ts";
import { netnsOfPod } from "../../../src/cluster/objects/model-index.ts";
import type { FlowRequest } from "../../../src/lab/agent.ts";
import { missingRequirements } from "../../../src/lab/requirements.ts";
import { LabSession } from "../../../src/lab/session.ts";
import type { Trace } from "../../../src/trace/trace.ts";
import { failurePath, modelAt } from "./topology.ts";

/** Failures that one flow shows, without a history and without waiting for anybody. */
const IMMEDIATE = [
  "ip-forward-off",
  "forward-drop",
  "rp-filter-strict",
  "bridge-nf-off",
  "hairpin-off",
  "flannel-wrong-iface",
  "flannel-lease-gone",
  "udp-port-filtered",
  "vxlan-port-filtered",
  "missing-masquerade",
  "double-masquerade",
  "service-cidr-overlap",
  "routing-loop",
  "no-endpoints",
  "target-port-wrong",
  "etp-local-no-endpoint",
  "source-lost",
  "route-localnet",
  "nodeport-occupied",
  "hostport-conflict",
  "hostport-vs-nodeport",
  "external-ip-hijack",
  "lb-hairpin",
];

/** The flow that proves a finding, as the lab wants it. */
function requestOf(model: ClusterModel, { from, protocol, destination }: Trace["request"]): FlowRequest {
  const [kind, ...names] = from.split("/");
  const pod = model.pods.find(({ namespace, name }) => namespace === names[0] && name === names[1]);
  const [address = "", port = "0"] = destination.split(":");
  if (protocol === "sctp") throw new Error("the lab has no SCTP");
  return {
    from: kind === "pod" && pod !== undefined ? netnsOfPod(pod) : names[0]!,
    protocol,
    destination: address,
    port: Number(port),
    sourcePort: 20000,
    size: protocol === "icmp" ? 56 : 0,
    discovery: "want",
    timeoutMs: 150,
  };
}

const missing = missingRequirements();

describe.skipIf(missing.length > 0)(
  `each failure's flow in the real kernel (needs ${missing.join(", ") || "nothing that is missing"})`,
  () => {
    it.each(IMMEDIATE)("%s", { timeout: 30_000 }, async (id) => {
      const model = modelAt(failurePath(id));
      const [finding] = diagnose(model);
      if (finding === undefined) throw new Error(`${id} is not found`);
      const session = await LabSession.open(model, { lab: "dg", iptables: "nft", seed: 1 });
      try {
        const { kernel, differences } = await session.verify(
          requestOf(model, finding.evidence.trace.request),
        );
        expect(differences).toEqual([]);
        expect(kernel.verdict).not.toBe("");
      } finally {
        await session.close();
      }
    });
  },
);
