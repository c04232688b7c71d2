/** Ways to tell a local pod's traffic (`detectLocalMode`); the empty string stands for `ClusterCIDR`. */
export type DetectLocalMode = "" | "ClusterCIDR" | "NodeCIDR" | "BridgeInterface" | "InterfaceNamePrefix";

/**
 * `kubeproxy.config.k8s.io/v1alpha1` KubeProxyConfiguration, the fields that decide what kube-proxy does to a
 * Linux node, under their own names. Durations are Go's text (`24h0m0s`).
 */
export interface KubeProxyConfiguration {
  readonly mode: string;
  /** `0.0.0.0` leaves the node's address to the Node object. */
  readonly bindAddress: string;
  readonly hostnameOverride: string;
  /** CIDRs parted by commas, the first IPv4 one counts; empty: none. */
  readonly clusterCIDR: string;
  readonly detectLocalMode: DetectLocalMode;
  readonly detectLocal: { readonly bridgeInterface: string; readonly interfaceNamePrefix: string };
  readonly iptables: {
    /** Bit of the packet mark, 0 to 31. */
    readonly masqueradeBit: number;
    readonly masqueradeAll: boolean;
    readonly localhostNodePorts: boolean;
  };
  /** CIDRs, or the single word `primary`; empty: every address. */
  readonly nodePortAddresses: readonly string[];
  readonly conntrack: {
    readonly maxPerCore: number;
    readonly min: number;
    readonly tcpEstablishedTimeout: string;
    readonly tcpCloseWaitTimeout: string;
    readonly tcpBeLiberal: boolean;
    readonly udpTimeout: string;
    readonly udpStreamTimeout: string;
  };
}

/** What pkg/proxy/apis/config/v1alpha1/defaults.go fills in. */
function defaultKubeProxyConfiguration(): KubeProxyConfiguration {
  return {
    mode: "",
    bindAddress: "0.0.0.0",
    hostnameOverride: "",
    clusterCIDR: "",
    detectLocalMode: "",
    detectLocal: { bridgeInterface: "", interfaceNamePrefix: "" },
    iptables: { masqueradeBit: 14, masqueradeAll: false, localhostNodePorts: true },
    nodePortAddresses: [],
    conntrack: {
      maxPerCore: 32768,
      min: 131072,
      tcpEstablishedTimeout: "24h0m0s",
      tcpCloseWaitTimeout: "1h0m0s",
      tcpBeLiberal: false,
      udpTimeout: "0s",
      udpStreamTimeout: "0s",
    },
  };
}

/** A configuration as a user writes it: any part may be absent. */
export type PartialKubeProxyConfiguration = {
  readonly [Field in keyof KubeProxyConfiguration]?: KubeProxyConfiguration[Field] extends
    | readonly string[]
    | string
    ? KubeProxyConfiguration[Field]
    : Partial<KubeProxyConfiguration[Field]>;
};

/** The configuration with the defaults in the places the user left out. */
export function completeKubeProxyConfiguration(given: PartialKubeProxyConfiguration): KubeProxyConfiguration {
  const defaults = defaultKubeProxyConfiguration();
  return {
    ...defaults,
    ...given,
    detectLocal: { ...defaults.detectLocal, ...given.detectLocal },
    iptables: { ...defaults.iptables, ...given.iptables },
    conntrack: { ...defaults.conntrack, ...given.conntrack },
  };
}
