import type { Chooser } from "../../src/linux/chooser.ts";

/** A topology drawn at random, and what was drawn, for the summary. */
export interface RandomTopology {
  /** Kubernetes objects, a JSON document each. */
  readonly text: string;
  readonly varied: readonly string[];
}

const BACKENDS = ["udp", "vxlan", "host-gw"] as const;
export type Backend = (typeof BACKENDS)[number];

/** Draws small clusters: up to three nodes with a few pods, Services of every kind, settings that decide packets' fates. */
export function randomTopology(chooser: Chooser, backend?: Backend): RandomTopology {
  const draw = new Draw(chooser);
  const type = backend ?? draw.of("backend", BACKENDS);
  const nodes = draw.of("nodes", [1, 2, 2, 3]);
  const pods = Array.from({ length: nodes }, (_, node) => drawPods(draw, node)).flat();
  const services = drawServices(draw, nodes);
  const mtu = draw.of("nic mtu", [1500, 1500, 1500, 1400, 9000]);
  const objects = [
    cluster(draw, type, mtu),
    ...kubeProxy(draw),
    ...hosts(draw, mtu),
    ...Array.from({ length: nodes }, (_, i) => node(i)),
    ...pods,
    ...services,
  ];
  return {
    text: objects.map((object) => JSON.stringify(object)).join("\n---\n"),
    varied: [...draw.drawn, `backend=${type}`],
  };
}

/** Draws, and remembers what it drew. */
class Draw {
  readonly drawn: string[] = [];
  private readonly chooser: Chooser;

  constructor(chooser: Chooser) {
    this.chooser = chooser;
  }

  of<T>(what: string, values: readonly T[]): T {
    const value = this.quietly(values);
    this.drawn.push(`${what}=${JSON.stringify(value)}`);
    return value;
  }

  quietly<T>(values: readonly T[]): T {
    return values[this.chooser.pick(values.length, "id")]!;
  }
}

const SERVICE_CIDRS = ["10.96.0.0/16", "192.168.128.0/17"] as const;

function cluster(draw: Draw, type: Backend, mtu: number) {
  return {
    apiVersion: "podpath.dev/v1alpha1",
    kind: "Cluster",
    metadata: { name: "random" },
    spec: {
      serviceCIDR: draw.of("serviceCIDR", SERVICE_CIDRS),
      flannel: {
        Network: "192.168.0.0/16",
        Backend: { Type: type },
        ipMasq: draw.of("flannel ipMasq", [false, true]),
      },
      kubeProxy: {
        version: draw.of("kube-proxy", ["1.32", "1.32", "1.7"]),
        nfacct: draw.of("nfacct", [true, false]),
      },
      node: {
        nic: { name: "ens33", mtu },
        docker: {
          ipMasq: draw.of("docker ipMasq", [true, true, false]),
          iptables: draw.of("docker iptables", [true, true, true, false]),
          hairpin: draw.of("hairpin", [false, true]),
          forwardPolicy: draw.of("forwardPolicy", ["ACCEPT", "ACCEPT", "DROP"]),
          mtu: draw.of("docker mtu", [mtu, mtu - 28, mtu - 50, 1200]),
        },
        sysctl: {
          "net.ipv4.ip_forward": draw.of("ip_forward", [1, 1, 1, 1, 1, 0]),
          "net.bridge.bridge-nf-call-iptables": draw.of("bridge-nf", [1, 1, 0]),
          "net.ipv4.conf.all.rp_filter": draw.of("rp_filter", [0, 0, 1, 2]),
          "net.ipv4.conf.all.route_localnet": draw.of("route_localnet", [0, 1]),
          "net.ipv4.conf.all.send_redirects": 0,
          "net.ipv4.conf.default.send_redirects": 0,
          "net.ipv4.ip_default_ttl": draw.of("ttl", [64, 64, 32, 255]),
        },
        listen: [10250, { port: 5353, protocol: "UDP" }],
      },
      segments: [{ name: "lan", subnet: "10.1.96.0/24", gateway: "10.1.96.1" }],
    },
  };
}

function kubeProxy(draw: Draw) {
  if (draw.of("KubeProxyConfiguration", [false, false, true]) === false) return [];
  return [
    {
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      clusterCIDR: draw.of("clusterCIDR", ["", "192.168.0.0/16"]),
      iptables: {
        masqueradeAll: draw.of("masqueradeAll", [false, true]),
        localhostNodePorts: draw.of("localhostNodePorts", [true, false]),
      },
      nodePortAddresses: draw.of("nodePortAddresses", [[], [], ["10.1.96.0/24"]]),
    },
  ];
}

const ROUTER = {
  "net.ipv4.ip_forward": 1,
  "net.ipv4.conf.all.send_redirects": 0,
  "net.ipv4.conf.default.send_redirects": 0,
};

function hosts(draw: Draw, mtu: number) {
  const host = (name: string, spec: object) => ({
    apiVersion: "podpath.dev/v1alpha1",
    kind: "Host",
    metadata: { name },
    spec,
  });
  return [
    host("gw", { address: "10.1.96.1/24", sysctl: ROUTER, listen: [{ port: 53, protocol: "UDP" }, 80], mtu }),
    host("client", {
      address: "10.1.96.10/24",
      gateway: "10.1.96.1",
      mtu,
      listen: [8080],
      // a client that knows a way to the Services, as people try
      ...(draw.of("client's route", [false, true])
        ? { routes: [{ to: "10.96.0.0/16", via: "10.1.96.231" }] }
        : {}),
    }),
  ];
}

const node = (i: number) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: `n${i + 1}`, labels: { "topology.kubernetes.io/zone": i === 0 ? "a" : "b" } },
  spec: { podCIDR: `192.168.${96 + i}.0/24` },
  status: { addresses: [{ type: "InternalIP", address: `10.1.96.${231 + i}` }] },
});

const APPS = ["web", "dns"] as const;

function drawPods(draw: Draw, nodeIndex: number) {
  const count = draw.of("pods", [1, 2, 3, 4]);
  return Array.from({ length: count }, (_, i) => {
    const app = draw.quietly([...APPS, "client"]);
    // two in one network would want the same ports
    const hostNetwork = i === 1 && draw.quietly([false, true]);
    const hostPort = !hostNetwork && i === 0 && draw.of("hostPort", [false, true]);
    const ready = draw.quietly([true, true, true, true, false]);
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `p${nodeIndex + 1}${i + 1}`, labels: { app } },
      spec: {
        nodeName: `n${nodeIndex + 1}`,
        hostNetwork,
        containers: [{ name: app, ports: portsOf(app, hostPort) }],
      },
      status: {
        ...(hostNetwork ? {} : { podIP: `192.168.${96 + nodeIndex}.${2 + i}` }),
        conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      },
    };
  });
}

function portsOf(app: string, hostPort: boolean): object[] {
  if (app === "web") return [{ name: "http", containerPort: 80, ...(hostPort ? { hostPort: 8081 } : {}) }];
  if (app !== "dns") return [];
  return [
    { name: "dns", containerPort: 53, protocol: "UDP", ...(hostPort ? { hostPort: 8053 } : {}) },
    { name: "dns-tcp", containerPort: 53 },
  ];
}

function drawServices(draw: Draw, nodes: number) {
  const count = draw.of("services", [1, 2, 3, 4]);
  const range = draw.drawn.some((text) => text.includes("192.168.128")) ? "192.168.200" : "10.96.0";
  return Array.from({ length: count }, (_, i) => drawService(draw, i, `${range}.${10 + i}`, nodes));
}

function drawService(draw: Draw, i: number, _clusterIP: string, nodes: number) {
  const app = draw.quietly([...APPS, ...APPS, "nobody"]);
  const type = draw.of("type", ["ClusterIP", "NodePort", "NodePort", "LoadBalancer"]);
  const outside = type !== "ClusterIP";
  const port = (name: string, number: number, protocol: string, target: string) => ({
    name,
    port: number,
    protocol,
    targetPort: target,
    ...(outside ? { nodePort: 30_000 + 100 * i + (protocol === "UDP" ? 53 : 80) } : {}),
  });
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `s${i + 1}` },
    spec: {
      type,
      selector: { app },
      ports:
        app === "dns"
          ? [port("dns", 53, "UDP", "dns"), port("dns-tcp", 53, "TCP", "dns-tcp")]
          : [port("http", 80, "TCP", app === "web" ? "http" : "80")].map((one) =>
              app === "web" ? one : { ...one, targetPort: 80 },
            ),
      ...(outside
        ? { externalTrafficPolicy: draw.of("externalTrafficPolicy", ["Cluster", "Cluster", "Local"]) }
        : {}),
      internalTrafficPolicy: draw.of("internalTrafficPolicy", ["Cluster", "Cluster", "Cluster", "Local"]),
      ...(draw.of("sessionAffinity", ["None", "None", "ClientIP"]) === "ClientIP"
        ? { sessionAffinity: "ClientIP" }
        : {}),
      ...(draw.of("externalIPs", [false, false, true])
        ? { externalIPs: [draw.quietly([`203.0.113.${20 + i}`, `10.1.96.${230 + nodes}`])] }
        : {}),
      ...(type === "LoadBalancer" && draw.of("sourceRanges", [false, true])
        ? { loadBalancerSourceRanges: ["10.1.96.10/32"] }
        : {}),
    },
    ...(type === "LoadBalancer"
      ? { status: { loadBalancer: { ingress: [{ ip: `203.0.113.${10 + i}` }] } } }
      : {}),
  };
}
