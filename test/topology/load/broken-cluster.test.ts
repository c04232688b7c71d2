import { describe, expect, it } from "vitest";
import { cluster, host, join, messagesOf, NODES } from "./documents.ts";

/** What is broken, the topology, and every message. */
const CASES: [string, string, string[]][] = [
  [
    "misspelt fields of a Cluster",
    cluster(
      "serviceCidr: 10.0.0.0/16\nflannel:\n  network: 10.244.0.0/16\n  Backend: {Type: udp, port: 8285}\nnode:\n  docker: {hairpinn: true}\ncolour: red",
    ),
    [
      't.yaml:5: Cluster/c spec.serviceCidr: unknown field; did you mean "serviceCIDR"?',
      't.yaml:7: Cluster/c spec.flannel.network: unknown field; did you mean "Network"?',
      't.yaml:8: Cluster/c spec.flannel.Backend.port: unknown field; did you mean "Port"?',
      't.yaml:10: Cluster/c spec.node.docker.hairpinn: unknown field; did you mean "hairpin"?',
      "t.yaml:11: Cluster/c spec.colour: unknown field",
    ],
  ],
  [
    "a misspelt field of a Host",
    host("\n  adress: 10.1.96.10/24"),
    ['t.yaml:5: Host/laptop spec.adress: unknown field; did you mean "address"?'],
  ],
  [
    "settings of a Cluster of the wrong type",
    cluster(
      "kubeProxy: {version: 1.32, nfacct: maybe}\nnode: {nic: {mtu: 20}, docker: {forwardPolicy: REJECT}}",
    ),
    [
      't.yaml:5: Cluster/c spec.kubeProxy.version: 1.32 is a number: write "1.32" in quotes',
      't.yaml:5: Cluster/c spec.kubeProxy.nfacct: expected true or false, got "maybe"',
      "t.yaml:6: Cluster/c spec.node.nic.mtu: 20 is outside 68-65535",
      't.yaml:6: Cluster/c spec.node.docker.forwardPolicy: "REJECT" is not one of ACCEPT, DROP',
    ],
  ],
  [
    "devices of one name",
    join(
      cluster(
        "flannel: {Backend: {Type: vxlan}}\nnode: {nic: {name: lo}, docker: {bridge: flannel.1}}\nnodes:\n  node1: {nic: {name: cbr0}, docker: {bridge: cbr0}}",
      ),
      NODES,
    ),
    [
      "t.yaml:6: Cluster/c spec.node.docker.bridge: flannel.1 is flannel's device",
      "t.yaml:6: Cluster/c spec.node.nic.name: lo is the loopback device",
      "t.yaml:8: Cluster/c spec.nodes.node1.nic.name: cbr0 is docker's bridge",
    ],
  ],
  [
    "a way to tell local traffic without its device",
    "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\ndetectLocalMode: BridgeInterface\n",
    [
      "t.yaml:1: KubeProxyConfiguration detectLocal.bridgeInterface: is missing: detectLocalMode is BridgeInterface",
    ],
  ],
  [
    "a backend flannel does not have",
    cluster("flannel:\n  Backend: {Type: vxlna}"),
    [
      't.yaml:6: Cluster/c spec.flannel.Backend.Type: "vxlna" is not one of udp, vxlan, host-gw; did you mean "vxlan"?',
    ],
  ],
  [
    "a network too small for flannel",
    cluster("flannel: {Network: 10.244.0.0/29}"),
    ["t.yaml:5: Cluster/c spec.flannel.Network: 10.244.0.0/29 is too small: at least a /28 is needed"],
  ],
  [
    "subnets too large for their network",
    cluster("flannel: {Network: 10.244.0.0/16, SubnetLen: 17}"),
    ["t.yaml:5: Cluster/c spec.flannel.SubnetLen: a /16 must hold at least four subnets, /17 are too large"],
  ],
  [
    "subnet bounds that do not fit",
    cluster("flannel: {Network: 10.244.0.0/16, SubnetMin: 10.245.1.0, SubnetMax: 10.244.9.1}"),
    [
      "t.yaml:5: Cluster/c spec.flannel.SubnetMin: 10.245.1.0 is outside 10.244.0.0/16",
      "t.yaml:5: Cluster/c spec.flannel.SubnetMax: 10.244.9.1 is not on a /24 boundary",
    ],
  ],
  [
    "unknown sysctls and wrong values",
    cluster(
      "node:\n  sysctl:\n    net.ipv4.ip_forwad: 1\n    net.ipv4.conf.all.rp_filter: 3\n    net.ipv4.ip_local_port_range: 1024\n    net.ipv4.conf.ens33.rp_filtr: 1\n    net.ipv4.icmp_ratelimit: fast",
    ),
    [
      't.yaml:7: Cluster/c spec.node.sysctl["net.ipv4.ip_forwad"]: is not a simulated sysctl; did you mean "net.ipv4.ip_forward"?',
      't.yaml:8: Cluster/c spec.node.sysctl["net.ipv4.conf.all.rp_filter"]: 3 is outside 0-2',
      't.yaml:9: Cluster/c spec.node.sysctl["net.ipv4.ip_local_port_range"]: expected two ports "FIRST LAST", got 1024',
      't.yaml:10: Cluster/c spec.node.sysctl["net.ipv4.conf.ens33.rp_filtr"]: is not a simulated sysctl; did you mean "net.ipv4.conf.ens33.rp_filter"?',
      't.yaml:11: Cluster/c spec.node.sysctl["net.ipv4.icmp_ratelimit"]: expected a whole number, got "fast"',
    ],
  ],
  [
    "settings of a node that is not there",
    join(NODES, cluster("nodes:\n  node3: {docker: {hairpin: true}}")),
    ['t.yaml:18: Cluster/c spec.nodes.node3: there is no Node of this name; did you mean "node1"?'],
  ],
  [
    "segments that clash",
    cluster(
      "segments:\n  - {name: lan, subnet: 10.1.96.0/24, gateway: 10.1.97.1}\n  - {name: lan, subnet: 10.1.0.0/16}",
    ),
    [
      "t.yaml:6: Cluster/c spec.segments[0].gateway: 10.1.97.1 is no host's address in 10.1.96.0/24",
      't.yaml:7: Cluster/c spec.segments[1].name: a second segment "lan"',
      "t.yaml:7: Cluster/c spec.segments[1].subnet: 10.1.0.0/16 overlaps segment lan, 10.1.96.0/24",
    ],
  ],
  [
    "an address in no segment",
    join(cluster("segments: [{name: dmz, subnet: 10.2.0.0/24}]"), NODES, host("{address: 10.3.0.1/24}")),
    [
      "t.yaml:11: Node/node1 status.addresses[0].address: 10.1.96.232 is no host's address in any segment (dmz 10.2.0.0/24)",
      "t.yaml:17: Node/node2 status.addresses[0].address: 10.1.96.233 is no host's address in any segment (dmz 10.2.0.0/24)",
      "t.yaml:22: Host/laptop spec.address: 10.3.0.1 lies in no segment (dmz 10.2.0.0/24); name one in spec.segment",
    ],
  ],
  [
    "a Host on a segment that is not there",
    join(
      cluster("segments: [{name: lan, subnet: 10.1.96.0/24}]"),
      host("{address: 10.1.96.10/24, segment: lam}"),
    ),
    ['t.yaml:10: Host/laptop spec.segment: there is no segment "lam"; did you mean "lan"?'],
  ],
  [
    "a Host without an address",
    host("{gateway: 10.1.96.1}"),
    ["t.yaml:4: Host/laptop spec.address: is missing"],
  ],
  [
    "next hops that are not near",
    host("\n  address: 10.1.96.10/24\n  gateway: 10.9.9.1\n  routes: [{to: 10.5.0.0/16, via: 10.1.96.10}]"),
    [
      "t.yaml:6: Host/laptop spec.gateway: 10.9.9.1 is on none of the host's networks",
      "t.yaml:7: Host/laptop spec.routes[0].via: 10.1.96.10 is the host's own address",
    ],
  ],
  [
    "a Host with a network's address",
    host("{address: 10.1.96.0/24}"),
    ["t.yaml:4: Host/laptop spec.address: 10.1.96.0/24 is no host's address"],
  ],
  [
    "two machines of one address",
    join(NODES, host("{address: 10.1.96.10/24}"), host("{address: 10.1.96.10/24}", "tablet")),
    ["t.yaml:21: Host/tablet spec.address: 10.1.96.10 is the address of Host laptop already"],
  ],
  [
    "a Host of a Node's name and address",
    join(NODES, host("{address: 10.1.96.232/24}", "node1")),
    [
      "t.yaml:5: Node/node1 status.addresses[0].address: 10.1.96.232 is the address of Host node1 already",
      "t.yaml:15: Host/node1 metadata.name: there is a Node of this name: node1",
    ],
  ],
  [
    "a listener on no port",
    host("\n  address: 10.1.96.10/24\n  listen: [70000, {port: 53, protocol: udp}]"),
    [
      "t.yaml:6: Host/laptop spec.listen[0]: 70000 is outside 1-65535",
      "t.yaml:6: Host/laptop spec.listen[1]: expected a port or {port, protocol: TCP | UDP | SCTP}",
    ],
  ],
  [
    "a Node's addresses",
    "apiVersion: v1\nkind: Node\nmetadata: {name: n}\nspec: {podCIDR: 192.168.97.0}\nstatus:\n  addresses:\n    - {type: InternalIP, address: 010.1.96.232}\n",
    [
      't.yaml:4: Node/n spec.podCIDR: "192.168.97.0" is not an IPv4 block (ADDRESS/LENGTH)',
      't.yaml:7: Node/n status.addresses[0].address: "010.1.96.232" is not an IPv4 address',
    ],
  ],
  [
    "a podCIDR outside flannel's network",
    join(cluster("flannel: {Network: 10.244.0.0/16}"), NODES),
    [
      "t.yaml:10: Node/node1 spec.podCIDR: 192.168.97.0/24 is outside flannel's Network 10.244.0.0/16",
      "t.yaml:16: Node/node2 spec.podCIDR: 192.168.96.0/24 is outside flannel's Network 10.244.0.0/16",
    ],
  ],
  [
    "a podCIDR that is no network",
    "apiVersion: v1\nkind: Node\nmetadata: {name: n}\nspec: {podCIDR: 192.168.97.1/24}\n",
    ["t.yaml:4: Node/n spec.podCIDR: 192.168.97.1/24 is no network: its first address is 192.168.97.0/24"],
  ],
  [
    "a network without subnets left",
    join(
      cluster("flannel: {Network: 10.244.0.0/28}"),
      ...["a", "b", "c", "d"].map((name) => `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\n`),
    ),
    ["t.yaml:19: Node/d spec.podCIDR: no subnet is left in flannel's Network 10.244.0.0/28"],
  ],
  [
    "flannel's ConfigMap",
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-flannel-cfg}\ndata:\n  net-conf.json: |\n    {"Network": "10.244.0.0", "Backend": {"Type": "gre"}}\n',
    [
      't.yaml:5: ConfigMap/kube-flannel-cfg data["net-conf.json"]: Network: "10.244.0.0" is not an IPv4 block (ADDRESS/LENGTH)',
      't.yaml:5: ConfigMap/kube-flannel-cfg data["net-conf.json"]: Backend.Type: "gre" is not one of udp, vxlan, host-gw',
    ],
  ],
  [
    "flannel's ConfigMap that is no JSON",
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-flannel-cfg}\ndata:\n  net-conf.json: "{Network: 1}"\n',
    [
      "t.yaml:5: ConfigMap/kube-flannel-cfg data[\"net-conf.json\"]: is not JSON: Expected property name or '}' in JSON at position 1",
    ],
  ],
  [
    "kube-proxy's configuration",
    "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: userspace\nclusterCIDR: all\ndetectLocalMode: clusterCIDR\niptables: {masqueradeBit: 32, syncPeriod: 30}\nnodePortAddresses: [eth0]\n",
    [
      't.yaml:3: KubeProxyConfiguration mode: "userspace" is not simulated; known: iptables, ipvs, nftables',
      't.yaml:4: KubeProxyConfiguration clusterCIDR: "all" is not an IPv4 block (ADDRESS/LENGTH)',
      't.yaml:5: KubeProxyConfiguration detectLocalMode: "clusterCIDR" is not one of "", ClusterCIDR, NodeCIDR, BridgeInterface, InterfaceNamePrefix; did you mean "ClusterCIDR"?',
      "t.yaml:6: KubeProxyConfiguration iptables.masqueradeBit: 32 is outside 0-31",
      "t.yaml:6: KubeProxyConfiguration iptables.syncPeriod: expected a string, got 30",
      't.yaml:7: KubeProxyConfiguration nodePortAddresses[0]: "eth0" is not an IPv4 block (ADDRESS/LENGTH) or "primary"',
    ],
  ],
  [
    "misspelt metadata of a Host",
    "apiVersion: podpath.dev/v1alpha1\nkind: Host\nmetadata: {nmae: laptop}\nspec: {address: 10.1.96.10/24}\n",
    [
      "t.yaml:3: Host metadata.name: is missing",
      't.yaml:3: Host metadata.nmae: unknown field; did you mean "name"?',
    ],
  ],
  [
    "a gateway of a node that is not near",
    join(cluster("node: {gateway: 10.9.9.9}"), NODES),
    [
      "t.yaml:5: Cluster/c spec.node.gateway: 10.9.9.9 is no host's address in any segment (lan 10.1.96.0/24)",
    ],
  ],
];

describe("one message a fault: Cluster, Host, Node and configuration", () => {
  it.each(CASES)("%s", (_, text, messages) => {
    expect(messagesOf(text)).toEqual(messages);
  });
});
