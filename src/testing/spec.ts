/**
 * A cluster small enough to read in a failure message. Numbers and flags only: names and addresses follow from places
 * (`node1`, `pod2` at `192.168.91.3`), so that a shrunk cluster is still one that a person can draw.
 */
export interface ClusterSpec {
  readonly nodes: number;
  readonly backend: "udp" | "vxlan" | "host-gw";
  readonly pods: readonly PodSpec[];
  readonly services: readonly ServiceSpec[];
  readonly settings: SettingsSpec;
}

export interface PodSpec {
  /** Index of its node. */
  readonly node: number;
  /** Labels: pods of one app are the endpoints of its Services. */
  readonly app: string;
  readonly ready: boolean;
}

export interface ServiceSpec {
  readonly app: string;
  readonly type: "ClusterIP" | "NodePort" | "LoadBalancer";
  readonly externalTrafficPolicy: "Cluster" | "Local";
  readonly sessionAffinity: "None" | "ClientIP";
  readonly protocol: "TCP" | "UDP";
}

export interface SettingsSpec {
  readonly hairpin: boolean;
  readonly bridgeNfCallIptables: boolean;
  readonly ipMasq: boolean;
  readonly rpFilter: 0 | 1 | 2;
}

/** What a cluster has when nobody says otherwise. */
export const PLAIN_SETTINGS: SettingsSpec = {
  hairpin: true,
  bridgeNfCallIptables: true,
  ipMasq: true,
  rpFilter: 0,
};

/** The port that pods listen on, and the one that Services have. */
export const CONTAINER_PORT = 8080;
export const SERVICE_PORT = 80;

const nodeName = (index: number): string => `node${index + 1}`;
export const podName = (index: number): string => `pod${index + 1}`;
export const serviceName = (index: number): string => `svc${index + 1}`;
/** The outside host of every such cluster. */
export const OUTSIDE = "outside";

const FIRST_NODE_PORT = 30001;

/** The node port of a Service; it has one unless its type is ClusterIP. */
export const nodePortOf = (index: number): number => FIRST_NODE_PORT + index;
/** The cluster IP of a Service. */
export const clusterIPOf = (index: number): string => `10.96.0.${index + 10}`;
/** The InternalIP of a node. */
export const nodeIPOf = (index: number): string => `10.1.96.${index + 101}`;

/** The cluster as Kubernetes objects: what `kubectl get -o json` would print of it, and the podpath.dev kinds. */
export function toDocuments(spec: ClusterSpec): object[] {
  return [
    clusterDocument(spec),
    hostDocument(),
    ...nodeDocuments(spec),
    ...podDocuments(spec),
    ...serviceDocuments(spec),
  ];
}

function clusterDocument({ backend, settings }: ClusterSpec): object {
  const { hairpin, ipMasq, bridgeNfCallIptables, rpFilter } = settings;
  return {
    apiVersion: "podpath.dev/v1alpha1",
    kind: "Cluster",
    metadata: { name: "small" },
    spec: {
      serviceCIDR: "10.96.0.0/16",
      flannel: { Network: "192.168.0.0/16", SubnetLen: 24, Backend: { Type: backend } },
      kubeProxy: { nfacct: false },
      node: {
        docker: { hairpin, ipMasq },
        sysctl: {
          "net.ipv4.ip_forward": 1,
          "net.bridge.bridge-nf-call-iptables": Number(bridgeNfCallIptables),
          "net.ipv4.conf.all.rp_filter": rpFilter,
        },
      },
      segments: [{ name: "lan", subnet: "10.1.96.0/24" }],
    },
  };
}

const hostDocument = (): object => ({
  apiVersion: "podpath.dev/v1alpha1",
  kind: "Host",
  metadata: { name: OUTSIDE },
  spec: { address: "10.1.96.10/24" },
});

const nodeDocuments = ({ nodes }: ClusterSpec): object[] =>
  Array.from({ length: nodes }, (_, i) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: nodeName(i) },
    spec: { podCIDR: `192.168.${i + 91}.0/24` },
    status: { addresses: [{ type: "InternalIP", address: nodeIPOf(i) }] },
  }));

function podDocuments({ pods }: ClusterSpec): object[] {
  return pods.map(({ node, app, ready }, i) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: podName(i), labels: { app } },
    spec: {
      nodeName: nodeName(node),
      containers: [
        {
          name: "server",
          image: "server",
          ports: [
            { containerPort: CONTAINER_PORT, name: "tcp", protocol: "TCP" },
            { containerPort: CONTAINER_PORT, name: "udp", protocol: "UDP" },
          ],
        },
      ],
    },
    status: {
      phase: "Running",
      podIP: podIPOf(pods, i),
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      containerStatuses: [{ name: "server", ready: true, image: "server", imageID: "", restartCount: 0 }],
    },
  }));
}

/** The address of a pod: they are numbered on each node from .2 on. */
export function podIPOf(pods: readonly PodSpec[], index: number): string {
  const { node } = pods[index]!;
  const before = pods.slice(0, index).filter((pod) => pod.node === node).length;
  return `192.168.${node + 91}.${before + 2}`;
}

const serviceDocuments = ({ services }: ClusterSpec): object[] =>
  services.map(({ app, type, externalTrafficPolicy, sessionAffinity, protocol }, i) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: serviceName(i) },
    spec: {
      type,
      clusterIP: clusterIPOf(i),
      selector: { app },
      sessionAffinity,
      ...(type === "ClusterIP" ? {} : { externalTrafficPolicy }),
      ports: [
        {
          name: "main",
          protocol,
          port: SERVICE_PORT,
          targetPort: CONTAINER_PORT,
          ...(type === "ClusterIP" ? {} : { nodePort: nodePortOf(i) }),
        },
      ],
    },
  }));
