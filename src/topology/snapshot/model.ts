import {
  defaultKubeProxyConfiguration,
  kubeProxyConfigurationSchema,
} from "../../cluster/objects/kube-proxy-configuration.ts";
import type { ClusterModel, NicModel, NodeModel, PodModel } from "../../cluster/objects/model.ts";
import { emptyStore } from "../../cluster/objects/store.ts";
import { Bridge } from "../../linux/device/bridge.ts";
import { Nic } from "../../linux/device/segment.ts";
import type { Netns } from "../../linux/netns.ts";
import type { Network } from "../../linux/network.ts";
import { formatIpv4, networkOf } from "../../packet/address.ts";

/** A pod that was collected: its node, its name, and its namespace. */
export interface CollectedPod {
  readonly node: string;
  readonly name: string;
  readonly netns: Netns;
}

/**
 * Who is who among collected namespaces, as far as they tell: nodes and pods with their addresses. Services and labels
 * are not in a node's kernel; a Service is asked for by its address. Pods are put into the namespace `default`.
 */
export function snapshotModel(
  network: Network,
  roots: readonly Netns[],
  pods: readonly CollectedPod[],
): ClusterModel {
  const input = kubeProxyConfigurationSchema.parse({});
  return {
    name: "snapshot",
    serviceCIDR: "10.96.0.0/12",
    flannel: {
      network: "0.0.0.0/0",
      subnetLen: 24,
      backend: { type: "host-gw" },
      ipMasq: false,
      forwardRules: false,
    },
    kubeProxy: {
      version: "1.32",
      nfacct: false,
      conntrackCleanup: false,
      configuration: defaultKubeProxyConfiguration(input),
    },
    segments: [...network.segments.keys()].map((name) => ({ name, subnet: name, gateway: null })),
    nodes: roots.map(nodeModel),
    hosts: [],
    pods: pods.flatMap(podModel),
    podsWithoutSandbox: [],
    services: [],
    endpointSlices: [],
    store: emptyStore(),
  };
}

function nodeModel(netns: Netns): NodeModel {
  const nic = [...netns.devices.values()].find((dev) => dev instanceof Nic && dev.addresses.length > 0);
  const bridge = [...netns.devices.values()].find((dev) => dev instanceof Bridge && dev.addresses.length > 0);
  const address = nic?.addresses[0];
  const pods = bridge?.addresses[0];
  const nicModel: NicModel = {
    name: nic?.name ?? "lo",
    mtu: nic?.mtu ?? 65536,
    segment: nic instanceof Nic ? nic.segment.name : "",
    addresses: (nic ?? netns.loopback).addresses.map((a) => `${formatIpv4(a.local)}/${a.prefixLength}`),
  };
  const podCIDR =
    pods === undefined
      ? "0.0.0.0/32"
      : `${formatIpv4(networkOf(pods.local, pods.prefixLength))}/${pods.prefixLength}`;
  return {
    name: netns.name,
    internalIP: formatIpv4(address?.local ?? 0x7f000001),
    podCIDR,
    nic: nicModel,
    gateway: null,
    docker: {
      bridge: bridge?.name ?? "",
      address: pods === undefined ? "" : `${formatIpv4(pods.local)}/${pods.prefixLength}`,
      ipMasq: false,
      iptables: false,
      hairpin: false,
      forwardPolicy: "ACCEPT",
      mtu: bridge?.mtu ?? 1500,
    },
    sysctl: {},
    localPortRange: null,
    listen: [],
    zone: null,
    kubernetes: { metadata: { name: netns.name } },
  };
}

/** A pod without an address (its namespace is being set up, or taken down) is nobody to talk to. */
function podModel({ node, name, netns }: CollectedPod): PodModel[] {
  const dev = [...netns.devices.values()].find((one) => !one.loopback && one.addresses.length > 0);
  const address = dev?.addresses[0];
  if (address === undefined) return [];
  const ports = netns.sockets.listeners.map(({ port, protocol }) => ({
    name: null,
    containerPort: port,
    protocol: protocol.toUpperCase() as "TCP" | "UDP" | "SCTP",
    hostPort: null,
    hostIP: "",
  }));
  return [
    {
      namespace: "default",
      name,
      nodeName: node,
      ip: formatIpv4(address.local),
      hostNetwork: false,
      ready: true,
      terminating: false,
      phase: "Running",
      labels: {},
      containers: [{ name, image: "", ready: true, ports }],
      sysctl: {},
      localPortRange: null,
    },
  ];
}
