import { describe, expect, it } from "vitest";
import type { SimulatedCluster } from "../../../../src/cluster/build/cluster.ts";
import { buildNetwork } from "../../../../src/cluster/build/network.ts";
import type { ClusterModel } from "../../../../src/cluster/objects/model.ts";
import { parseIpv4 } from "../../../../src/packet/address.ts";
import { loadTopology } from "../../../../src/topology/load/load.ts";
import { builtInTopology, readSources } from "../../../../src/topology/load/source.ts";
import { send } from "../../../../src/trace/send.ts";

const MODES = ["iptables", "ipvs", "nftables"] as const;

/** The built-in cluster under a mode. */
function model(mode: (typeof MODES)[number]): ClusterModel {
  const configuration = `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: ${mode}\nclusterCIDR: 192.168.0.0/16\n`;
  return loadTopology([...readSources([builtInTopology()]), { file: "mode.yaml", text: configuration }])
    .model;
}

/** The model with nginx's first endpoints alone. */
const withEndpoints = (given: ClusterModel, count: number): ClusterModel => ({
  ...given,
  endpointSlices: given.endpointSlices.map((slice) =>
    slice.metadata?.labels?.["kubernetes.io/service-name"] === "nginx"
      ? { ...slice, endpoints: slice.endpoints.slice(0, count) }
      : slice,
  ),
});

const to = (cluster: SimulatedCluster, target: string) =>
  send(cluster, { from: "pod/client", to: target, protocol: "tcp" });

describe.each(MODES)("a cluster whose kube-proxies are in mode %s", (mode) => {
  const full = model(mode);

  it("answers connections to a Service, from its address", () => {
    const trace = to(buildNetwork(full, { seed: 1 }), "svc/nginx:80");
    expect(trace.verdict).toBe("delivered");
    const clusterIP = full.services.find(({ metadata }) => metadata?.name === "nginx")?.spec?.clusterIP;
    expect(trace.reply).toMatchObject({ verdict: "delivered", source: `${clusterIP}:80` });
  });

  it("follows its endpoints, down to none and back", () => {
    const cluster = buildNetwork(full, { seed: 1 });
    cluster.update(withEndpoints(full, 1));
    const pods = new Set(Array.from({ length: 8 }, () => to(cluster, "svc/nginx:80").delivered?.pod));
    expect(pods.size).toBe(1);
    cluster.update(withEndpoints(full, 0));
    expect(to(cluster, "svc/nginx:80").verdict).not.toBe("delivered");
    cluster.update(full);
    expect(to(cluster, "svc/nginx:80").verdict).toBe("delivered");
  });

  it("lets a Service go", () => {
    const cluster = buildNetwork(full, { seed: 1 });
    const address = full.services.find(({ metadata }) => metadata?.name === "nginx")?.spec?.clusterIP;
    cluster.update({ ...full, services: full.services.filter(({ metadata }) => metadata?.name !== "nginx") });
    expect(to(cluster, `${address}:80`).verdict).not.toBe("delivered");
    const device = cluster.node("srv-k8s-node1").netns.devices.get("kube-ipvs0");
    expect(device !== undefined).toBe(mode === "ipvs");
    expect(device?.addresses.some(({ local }) => local === parseIpv4(address ?? ""))).not.toBe(true);
  });
});
