/** Chains that every node has, by table, in the order of kube-proxy's chain lines. */
export const KUBE_SERVICES = "KUBE-SERVICES";
export const KUBE_EXTERNAL_SERVICES = "KUBE-EXTERNAL-SERVICES";
export const KUBE_NODEPORTS = "KUBE-NODEPORTS";
export const KUBE_POSTROUTING = "KUBE-POSTROUTING";
export const KUBE_MARK_MASQ = "KUBE-MARK-MASQ";
export const KUBE_FORWARD = "KUBE-FORWARD";
export const KUBE_PROXY_FIREWALL = "KUBE-PROXY-FIREWALL";
/** kubelet's chain; kube-proxy writes a copy of its one rule. */
export const KUBE_FIREWALL = "KUBE-FIREWALL";

export const FILTER_CHAINS = [
  KUBE_SERVICES,
  KUBE_EXTERNAL_SERVICES,
  KUBE_FORWARD,
  KUBE_NODEPORTS,
  KUBE_PROXY_FIREWALL,
] as const;

export const NAT_CHAINS = [KUBE_SERVICES, KUBE_NODEPORTS, KUBE_POSTROUTING, KUBE_MARK_MASQ] as const;

/** nfacct objects that kube-proxy creates where the kernel has xt_nfacct. */
export const NFACCT_INVALID_DROPPED = "ct_state_invalid_dropped_pkts";
export const NFACCT_LOCALHOST_NODEPORTS = "localhost_nps_accepted_pkts";
