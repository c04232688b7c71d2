/** The sets that kube-proxy keeps in ipvs mode (pkg/proxy/ipvs/proxier.go: ipsetInfo; ipset.go), in its order. */
export type KubeIpsetType =
  | "hash:ip"
  | "hash:ip,port"
  | "hash:ip,port,ip"
  | "hash:ip,port,net"
  | "bitmap:port";

export const LOOP_BACK = "KUBE-LOOP-BACK";
export const CLUSTER_IP = "KUBE-CLUSTER-IP";
export const EXTERNAL_IP = "KUBE-EXTERNAL-IP";
export const EXTERNAL_IP_LOCAL = "KUBE-EXTERNAL-IP-LOCAL";
export const LOAD_BALANCER = "KUBE-LOAD-BALANCER";
export const LOAD_BALANCER_FW = "KUBE-LOAD-BALANCER-FW";
export const LOAD_BALANCER_LOCAL = "KUBE-LOAD-BALANCER-LOCAL";
export const LOAD_BALANCER_SOURCE_IP = "KUBE-LOAD-BALANCER-SOURCE-IP";
export const LOAD_BALANCER_SOURCE_CIDR = "KUBE-LOAD-BALANCER-SOURCE-CIDR";
export const NODE_PORT_TCP = "KUBE-NODE-PORT-TCP";
export const NODE_PORT_LOCAL_TCP = "KUBE-NODE-PORT-LOCAL-TCP";
export const NODE_PORT_UDP = "KUBE-NODE-PORT-UDP";
export const NODE_PORT_LOCAL_UDP = "KUBE-NODE-PORT-LOCAL-UDP";
export const NODE_PORT_SCTP = "KUBE-NODE-PORT-SCTP-HASH";
export const NODE_PORT_LOCAL_SCTP = "KUBE-NODE-PORT-LOCAL-SCTP-HASH";
export const HEALTH_CHECK_NODE_PORT = "KUBE-HEALTH-CHECK-NODE-PORT";
export const IPVS_IPS = "KUBE-IPVS-IPS";

/** A set's kind and what its rules' comments say. */
export const KUBE_IPSETS: ReadonlyMap<string, { readonly type: KubeIpsetType; readonly comment: string }> =
  new Map([
    [
      LOOP_BACK,
      set("hash:ip,port,ip", "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose"),
    ],
    [CLUSTER_IP, set("hash:ip,port", "Kubernetes service cluster ip + port for masquerade purpose")],
    [
      EXTERNAL_IP,
      set("hash:ip,port", "Kubernetes service external ip + port for masquerade and filter purpose"),
    ],
    [
      EXTERNAL_IP_LOCAL,
      set("hash:ip,port", "Kubernetes service external ip + port with externalTrafficPolicy=local"),
    ],
    [LOAD_BALANCER, set("hash:ip,port", "Kubernetes service lb portal")],
    [
      LOAD_BALANCER_FW,
      set("hash:ip,port", "Kubernetes service load balancer ip + port for load balancer with sourceRange"),
    ],
    [
      LOAD_BALANCER_LOCAL,
      set("hash:ip,port", "Kubernetes service load balancer ip + port with externalTrafficPolicy=local"),
    ],
    [
      LOAD_BALANCER_SOURCE_IP,
      set(
        "hash:ip,port,ip",
        "Kubernetes service load balancer ip + port + source IP for packet filter purpose",
      ),
    ],
    [
      LOAD_BALANCER_SOURCE_CIDR,
      set(
        "hash:ip,port,net",
        "Kubernetes service load balancer ip + port + source cidr for packet filter purpose",
      ),
    ],
    [NODE_PORT_TCP, set("bitmap:port", "Kubernetes nodeport TCP port for masquerade purpose")],
    [
      NODE_PORT_LOCAL_TCP,
      set("bitmap:port", "Kubernetes nodeport TCP port with externalTrafficPolicy=local"),
    ],
    [NODE_PORT_UDP, set("bitmap:port", "Kubernetes nodeport UDP port for masquerade purpose")],
    [
      NODE_PORT_LOCAL_UDP,
      set("bitmap:port", "Kubernetes nodeport UDP port with externalTrafficPolicy=local"),
    ],
    [
      NODE_PORT_SCTP,
      set("hash:ip,port", "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'"),
    ],
    [
      NODE_PORT_LOCAL_SCTP,
      set(
        "hash:ip,port",
        "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'",
      ),
    ],
    [HEALTH_CHECK_NODE_PORT, set("bitmap:port", "Kubernetes health check node port")],
    [IPVS_IPS, set("hash:ip", "Kubernetes addresses bound to kube-ipvs0")],
  ]);

function set(
  type: KubeIpsetType,
  comment: string,
): { readonly type: KubeIpsetType; readonly comment: string } {
  return { type, comment };
}

/** Members of each set, as ipset prints them (`10.96.0.1,tcp:443`), in the order of Services. */
export type IpsetEntries = ReadonlyMap<string, readonly string[]>;

/**
 * The sets as `ipset restore` takes them. kube-proxy calls ipset once a set and once a member instead; the arguments are
 * these (pkg/proxy/ipvs/ipset/ipset.go: createSet, with its default sizes).
 */
export function formatIpsets(entries: IpsetEntries): string {
  const lines: string[] = [];
  for (const [name, { type }] of KUBE_IPSETS) {
    const options = type === "bitmap:port" ? "range 0-65535" : "family inet hashsize 1024 maxelem 65536";
    lines.push(`create ${name} ${type} ${options} -exist`);
    for (const entry of entries.get(name) ?? []) lines.push(`add ${name} ${entry} -exist`);
  }
  return `${lines.join("\n")}\n`;
}
