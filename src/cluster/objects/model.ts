/**
 * The cluster as it is to be built: every default filled in, every address allocated, everything checked.
 *
 * Made by `topology/load`, read by whoever sets namespaces up. Addresses are dotted quads, blocks `ADDRESS/LENGTH`;
 * lists are sorted by name (pods and Services by namespace, then name), so equal input gives equal order.
 */
import type { Node, Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import type { KubeProxyConfiguration } from "./kube-proxy-configuration.ts";
import type { ObjectStore } from "./store.ts";

/** Transport protocols under their Kubernetes names. */
export type Protocol = "TCP" | "UDP" | "SCTP";

/** A socket somebody listens on, on every address of its namespace. */
export interface ListenPort {
  port: number;
  protocol: Protocol;
}

/** flannel's back end with its own defaults filled in (`pkg/backend/{udp,vxlan,hostgw}`). */
export type FlannelBackend =
  | { type: "udp"; port: number }
  | { type: "vxlan"; vni: number; port: number }
  | { type: "host-gw" };

/** flannel's net-conf.json, its `--ip-masq` flag, and whether it accepts its network's traffic in FORWARD (since 0.9.1). */
export interface FlannelModel {
  network: string;
  subnetLen: number;
  backend: FlannelBackend;
  ipMasq: boolean;
  forwardRules: boolean;
}

/** kube-proxy: whose rules (`version`), what the node's kernel gives it, and its own configuration. */
export interface KubeProxyModel {
  version: "1.32" | "1.7";
  nfacct: boolean;
  conntrackCleanup: boolean;
  configuration: KubeProxyConfiguration;
}

/** An L2 segment: every NIC on it hears every other. `gateway` is the default route of the nodes on it. */
export interface SegmentModel {
  name: string;
  subnet: string;
  gateway: string | null;
}

/** A NIC: its segment and its addresses with their prefix lengths. */
export interface NicModel {
  name: string;
  mtu: number;
  segment: string;
  addresses: string[];
}

/** docker's daemon on a node. `address` is the bridge's own (`192.168.96.1/24`); `mtu` is that of bridge and containers. */
export interface DockerModel {
  bridge: string;
  address: string;
  ipMasq: boolean;
  iptables: boolean;
  hairpin: boolean;
  forwardPolicy: "ACCEPT" | "DROP";
  mtu: number;
}

/** First and last port of `net.ipv4.ip_local_port_range`, both included. */
export interface PortRange {
  first: number;
  last: number;
}

/** flannel's lease of a node as the others see it: `publicIP` is where they reach it, `lease` whether they know of it. */
export interface NodeFlannelModel {
  publicIP: string;
  lease: boolean;
}

/**
 * A node of the cluster. `routes` are static ones (absent: none), `flannel` its lease (absent: the
 * InternalIP's), `iptables` text for `iptables-restore --noflush` after everybody's rules, `iptablesLegacy` for
 * iptables-legacy-restore (absent: none). `sysctl` holds what is set, the kernel's own defaults are left out.
 */
export interface NodeModel {
  name: string;
  internalIP: string;
  podCIDR: string;
  nic: NicModel;
  gateway: string | null;
  routes?: RouteModel[];
  docker: DockerModel;
  flannel?: NodeFlannelModel;
  iptables?: string;
  iptablesLegacy?: string;
  sysctl: Record<string, number>;
  localPortRange: PortRange | null;
  listen: ListenPort[];
  zone: string | null;
  kubernetes: Node;
}

/** A static route of a node or an outside host: destination block and next hop. */
export interface RouteModel {
  to: string;
  via: string;
}

/** A machine outside the cluster, with one NIC a segment it stands on. */
export interface HostModel {
  name: string;
  nics: NicModel[];
  gateway: string | null;
  routes: RouteModel[];
  listen: ListenPort[];
  sysctl: Record<string, number>;
  localPortRange: PortRange | null;
}

/** A port of a container. `hostPort` is what docker publishes (absent for hostNetwork pods), on `hostIP`. */
export interface ContainerPortModel {
  name: string | null;
  containerPort: number;
  protocol: Protocol;
  hostPort: number | null;
  hostIP: string;
}

/** A container of a pod. Only a ready one listens on its ports. */
export interface ContainerModel {
  name: string;
  image: string;
  ready: boolean;
  ports: ContainerPortModel[];
}

/** A pod that has a sandbox: it stands on a node and has an address (the node's own when `hostNetwork`). */
export interface PodModel {
  namespace: string;
  name: string;
  nodeName: string;
  ip: string;
  hostNetwork: boolean;
  ready: boolean;
  terminating: boolean;
  phase: "Pending" | "Running" | "Unknown";
  labels: Record<string, string>;
  containers: ContainerModel[];
  /** The pod's own sysctls (`securityContext.sysctls`). */
  sysctl: Record<string, number>;
  localPortRange: PortRange | null;
}

/** A pod without a sandbox, and why. */
export interface PodWithoutSandbox {
  namespace: string;
  name: string;
  phase: "Pending" | "Succeeded" | "Failed";
  reason: string;
}

/** The whole cluster. `services` and `endpointSlices` are complete Kubernetes objects, as kube-proxy reads them. */
export interface ClusterModel {
  name: string;
  serviceCIDR: string;
  flannel: FlannelModel;
  kubeProxy: KubeProxyModel;
  segments: SegmentModel[];
  nodes: NodeModel[];
  hosts: HostModel[];
  pods: PodModel[];
  podsWithoutSandbox: PodWithoutSandbox[];
  services: Service[];
  endpointSlices: EndpointSlice[];
  /** Every Kubernetes object, those that controllers made among them. */
  store: ObjectStore;
}
