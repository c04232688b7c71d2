import { blockText, encloses, overlap, toBlock } from "../../../cluster/objects/address.ts";
import type { ClusterModel } from "../../../cluster/objects/model.ts";
import { freeAddress, podRef, sandboxPods } from "../cast.ts";
import type { Check } from "../check.ts";
import { observation, tryFlow } from "../try-flow.ts";

const PORT = 80;

/** Services' addresses lie in the pods' network, so one that no rule translates is routed like a pod's. */
export const serviceCidrOverlap: Check = {
  id: "service-cidr-overlap",
  severity: "warning",
  symptom:
    "Services work, but an address or a port that none has vanishes into the tunnel instead of being refused",
  *suspects(model) {
    const services = toBlock(model.serviceCIDR);
    const pods = toBlock(model.flannel.network);
    if (!overlap(services, pods)) return;
    const unknown = freeAddress(model, blockText(encloses(pods, services) ? services : pods));
    const [pod] = sandboxPods(model);
    if (unknown === null || pod === undefined) return;
    yield {
      subject: { kind: "Cluster", path: ["spec", "serviceCIDR"] },
      message: `serviceCIDR ${blockText(services)} overlaps flannel's Network ${blockText(pods)}: Service addresses are routed into the tunnel`,
      mend: "kube-apiserver --service-cluster-ip-range=10.254.0.0/16    # spec.serviceCIDR; addresses that Services have must be given anew",
      observe(current) {
        const address = current === model ? unknown : freeAddress(current, current.serviceCIDR);
        if (address === null) return null;
        const trace = tryFlow(current, { from: podRef(pod), to: `${address}:${PORT}`, protocol: "tcp" });
        const tunnelled = trace.path.some(({ device }) => device.startsWith("flannel"));
        return observation(trace, tunnelled && trace.delivered === null);
      },
      mended: (current) => ({ ...current, serviceCIDR: blockText(separateBlock(current)) }),
    };
  },
};

/** A usual range for Services that no pod, node or host has. */
function separateBlock({ flannel, segments }: ClusterModel) {
  const taken = [flannel.network, ...segments.map(({ subnet }) => subnet)].map(toBlock);
  const candidates = ["10.254.0.0/16", "10.96.0.0/12", "172.30.0.0/16", "192.168.0.0/16"].map(toBlock);
  return candidates.find((one) => !taken.some((other) => overlap(one, other))) ?? candidates[0]!;
}
