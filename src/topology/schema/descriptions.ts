/**
 * What the fields of podpath's own kinds mean, by path from the object's root (`*` for any key, `[]` for an element), as
 * an editor shows it beside a field.
 */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  apiVersion: "podpath.dev/v1alpha1",
  kind: "Cluster: what Kubernetes objects do not say about a cluster. Host: a machine outside it.",
  metadata: "The object's name, labels and annotations.",
  "metadata.name": "Its name: a DNS-1123 subdomain.",
  "metadata.labels": "Free words about it; nothing reads them.",
  "metadata.annotations": "Free text about it; nothing reads it.",
};

const NODE: Readonly<Record<string, string>> = {
  nic: "The node's NIC on its segment.",
  "nic.name": "Its name; ens33 unless stated.",
  "nic.mtu": "Bytes of an IP packet that fit; 1500 unless stated.",
  docker: "docker's daemon on the node.",
  "docker.bridge": "Its bridge; docker0 unless stated.",
  "docker.ipMasq": "--ip-masq: masquerade what leaves the node's pod subnet; true unless stated.",
  "docker.iptables": "--iptables: docker puts rules in; true unless stated.",
  "docker.hairpin": "Hairpin mode of the pods' bridge ports; false unless stated.",
  "docker.forwardPolicy": "Policy of FORWARD: docker 1.13 and later set DROP; ACCEPT unless stated.",
  "docker.mtu": "MTU of bridge and pods; flannel's unless stated.",
  sysctl: "sysctl -w, by full name; what is not set has the kernel's default.",
  gateway: "The node's default route, where it is not the segment's gateway.",
  routes: "Static routes, beside the default route.",
  "routes[].to": "Destination block.",
  "routes[].via": "Next hop.",
  listen: "Ports of processes in the node's own namespace; the kubelet's 10250 unless stated.",
  "listen[].port": "The port.",
  "listen[].protocol": "TCP unless stated.",
  iptables: "iptables-restore --noflush text that is loaded after everybody's rules.",
  iptablesLegacy:
    "iptables-legacy-restore --noflush text: rules beside those that everybody else has in iptables-nft.",
  flannel: "flanneld on the node.",
  "flannel.publicIP": "--public-ip: what its lease tells the others; its InternalIP unless stated.",
  "flannel.lease": "false: its lease has run out and the others have forgotten it; true unless stated.",
};

const under = (
  path: string,
  descriptions: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(descriptions).map(([key, text]) => [`${path}.${key}`, text]));

export const CLUSTER_DESCRIPTIONS: Readonly<Record<string, string>> = {
  ...DESCRIPTIONS,
  spec: "What the cluster is like beyond its Kubernetes objects. Everything has a default.",
  "spec.serviceCIDR": "Where ClusterIPs come from; 10.96.0.0/12 unless stated.",
  "spec.flannel": "flannel's net-conf.json, under its own names.",
  "spec.flannel.Network": "The network of all pods; the /16 around the first node's podCIDR unless stated.",
  "spec.flannel.SubnetLen": "Prefix length of a node's subnet; 24 unless stated.",
  "spec.flannel.SubnetMin": "First subnet that may be leased.",
  "spec.flannel.SubnetMax": "Last subnet that may be leased.",
  "spec.flannel.Backend": "How packets get from node to node.",
  "spec.flannel.Backend.Type": "udp (unless stated), vxlan or host-gw.",
  "spec.flannel.Backend.Port": "UDP port between nodes; 8285 for udp, 8472 for vxlan unless stated.",
  "spec.flannel.Backend.VNI": "VXLAN network identifier; 1 unless stated.",
  "spec.flannel.ipMasq": "flanneld's --ip-masq; false unless stated.",
  "spec.flannel.forwardRules":
    "flanneld's --iptables-forward-rules: it accepts the network's traffic in FORWARD.",
  "spec.kubeProxy": "What a KubeProxyConfiguration does not say of kube-proxy.",
  "spec.kubeProxy.version": "Whose rules: 1.32 (unless stated) or 1.7.",
  "spec.kubeProxy.nfacct": "The nodes' kernel has xt_nfacct and kube-proxy's counters; true unless stated.",
  "spec.kubeProxy.conntrackCleanup":
    "kube-proxy removes connections whose endpoint is gone; true unless stated.",
  "spec.node": "Settings of all nodes.",
  ...under("spec.node", NODE),
  "spec.nodes": "Settings of single nodes, by name; they go before those of all.",
  "spec.nodes.*": "Settings of this node.",
  ...under("spec.nodes.*", NODE),
  "spec.segments": "L2 segments; one that joins every node and host unless stated.",
  "spec.segments[].name": "Its name.",
  "spec.segments[].subnet": "Whoever has an address in it is on it.",
  "spec.segments[].gateway": "Default route of the nodes on it.",
};

export const HOST_DESCRIPTIONS: Readonly<Record<string, string>> = {
  ...DESCRIPTIONS,
  spec: "The machine: one NIC a segment it stands on, named eth0, eth1, …",
  "spec.address": "Its address and prefix length.",
  "spec.addresses": "Its addresses, where it has several.",
  "spec.segment": "The segment it is on, where its address does not say.",
  "spec.gateway": "Its default route.",
  "spec.routes": "Static routes.",
  "spec.routes[].to": NODE["routes[].to"]!,
  "spec.routes[].via": NODE["routes[].via"]!,
  "spec.listen": "Ports that its processes listen on.",
  "spec.listen[].port": NODE["listen[].port"]!,
  "spec.listen[].protocol": NODE["listen[].protocol"]!,
  "spec.sysctl": NODE["sysctl"]!,
  "spec.mtu": "MTU of its NICs; 1500 unless stated.",
};
