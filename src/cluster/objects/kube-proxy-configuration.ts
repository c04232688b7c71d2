/** KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1): kube-proxy's own configuration under its own names. */
import { z } from "zod";
import { isBlock, isIPv6 } from "./address.ts";
import { address, integer, oneOf, show } from "./field.ts";

const MODES = ["iptables", "ipvs", "nftables"] as const;
/** How kube-proxy has the kernel route to Services; the latter two are 1.32's. */
export type ProxyMode = (typeof MODES)[number];

/** `ipvs.scheduler`: round robin (weighted), least connection, source hashing; "" is rr. */
export const IPVS_SCHEDULERS = ["rr", "wrr", "lc", "sh"] as const;
export type IpvsScheduler = (typeof IPVS_SCHEDULERS)[number];

/** What of kube-proxy's configuration decides about rules and conntrack. Durations are Go's (`30s`, `24h0m0s`). */
export interface KubeProxyConfiguration {
  mode: ProxyMode;
  bindAddress: string;
  /** Addresses that count as pods' (`192.168.0.0/16`); "" means that local traffic is not told apart. */
  clusterCIDR: string;
  detectLocalMode: "ClusterCIDR" | "NodeCIDR" | "BridgeInterface" | "InterfaceNamePrefix";
  detectLocal: { bridgeInterface: string; interfaceNamePrefix: string };
  /** Blocks, or the word `primary`; empty means every local address. */
  nodePortAddresses: string[];
  iptables: {
    masqueradeBit: number;
    masqueradeAll: boolean;
    localhostNodePorts: boolean;
    syncPeriod: string;
    minSyncPeriod: string;
  };
  ipvs: { scheduler: IpvsScheduler };
  conntrack: {
    maxPerCore: number;
    min: number;
    tcpEstablishedTimeout: string;
    tcpCloseWaitTimeout: string;
    tcpBeLiberal: boolean;
    udpTimeout: string;
    udpStreamTimeout: string;
  };
}

const duration = () =>
  z.string().refine((text) => /^(0|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$/.test(text), {
    error: ({ input }) => `${show(input)} is not a duration such as "30s" or "1h0m0s"`,
  });

const NODE_PORT_WORDS = ["primary"];

const fields = z.looseObject({
  mode: z
    .string()
    .refine((mode) => mode === "" || (MODES as readonly string[]).includes(mode), {
      error: ({ input }) => `${show(input)} is not simulated; known: ${MODES.join(", ")}`,
    })
    .optional(),
  bindAddress: z
    .union([z.literal(""), address()], { error: ({ input }) => `${show(input)} is not an IPv4 address` })
    .optional(),
  clusterCIDR: z
    .string()
    .refine((text) => text === "" || text.split(",").some(isBlock), {
      error: ({ input }) => `${show(input)} is not an IPv4 block (ADDRESS/LENGTH)`,
    })
    .optional(),
  detectLocalMode: oneOf([
    "",
    "ClusterCIDR",
    "NodeCIDR",
    "BridgeInterface",
    "InterfaceNamePrefix",
  ]).optional(),
  detectLocal: z
    .looseObject({ bridgeInterface: z.string().optional(), interfaceNamePrefix: z.string().optional() })
    .optional(),
  nodePortAddresses: z
    .array(
      z.string().refine((text) => isBlock(text) || NODE_PORT_WORDS.includes(text) || isIPv6(text), {
        error: ({ input }) => `${show(input)} is not an IPv4 block (ADDRESS/LENGTH) or "primary"`,
      }),
    )
    .optional(),
  iptables: z
    .looseObject({
      masqueradeBit: integer(0, 31).optional(),
      masqueradeAll: z.boolean().optional(),
      localhostNodePorts: z.boolean().optional(),
      syncPeriod: duration().optional(),
      minSyncPeriod: duration().optional(),
    })
    .optional(),
  ipvs: z.looseObject({ scheduler: oneOf(["", ...IPVS_SCHEDULERS]).optional() }).optional(),
  conntrack: z
    .looseObject({
      maxPerCore: integer(0, 2 ** 31 - 1).optional(),
      min: integer(0, 2 ** 31 - 1).optional(),
      tcpEstablishedTimeout: duration().optional(),
      tcpCloseWaitTimeout: duration().optional(),
      tcpBeLiberal: z.boolean().optional(),
      udpTimeout: duration().optional(),
      udpStreamTimeout: duration().optional(),
    })
    .optional(),
});

/** `pkg/proxy/apis/config/validation: ValidateDetectLocalConfiguration`: the mode's own field must say something. */
export const kubeProxyConfigurationSchema = fields.superRefine(
  ({ detectLocalMode, detectLocal }, context) => {
    const field = { BridgeInterface: "bridgeInterface", InterfaceNamePrefix: "interfaceNamePrefix" } as const;
    if (detectLocalMode !== "BridgeInterface" && detectLocalMode !== "InterfaceNamePrefix") return;
    const name = field[detectLocalMode];
    const value = detectLocal?.[name] ?? "";
    const message =
      value === ""
        ? `is missing: detectLocalMode is ${detectLocalMode}`
        : /^[^\s/]{1,15}$/.test(value)
          ? null
          : `${show(value)} is not a device name (at most 15 characters, no blanks or "/")`;
    if (message !== null) context.addIssue({ code: "custom", path: ["detectLocal", name], message });
  },
);

/** What a topology writes of it, after validation. */
export type KubeProxyConfigurationInput = z.infer<typeof kubeProxyConfigurationSchema>;

/**
 * The configuration with kube-proxy's defaults (`pkg/proxy/apis/config/v1alpha1/defaults.go`,
 * `localhostNodePorts` from `pkg/proxy/apis/config/scheme`). Nothing is guessed: without `clusterCIDR` there is none.
 */
export function defaultKubeProxyConfiguration(input: KubeProxyConfigurationInput): KubeProxyConfiguration {
  const { iptables = {}, conntrack = {}, detectLocal = {} } = input;
  return {
    mode: (input.mode ?? "") === "" ? "iptables" : (input.mode as ProxyMode),
    bindAddress: orElse(input.bindAddress, "0.0.0.0"),
    clusterCIDR: (input.clusterCIDR ?? "").split(",").find(isBlock) ?? "",
    detectLocalMode: orElse(input.detectLocalMode, "ClusterCIDR"),
    detectLocal: {
      bridgeInterface: detectLocal.bridgeInterface ?? "",
      interfaceNamePrefix: detectLocal.interfaceNamePrefix ?? "",
    },
    nodePortAddresses: input.nodePortAddresses ?? [],
    iptables: {
      masqueradeBit: iptables.masqueradeBit ?? 14,
      masqueradeAll: iptables.masqueradeAll ?? false,
      localhostNodePorts: iptables.localhostNodePorts ?? true,
      syncPeriod: iptables.syncPeriod ?? "30s",
      minSyncPeriod: iptables.minSyncPeriod ?? "1s",
    },
    ipvs: { scheduler: orElse(input.ipvs?.scheduler, "rr") },
    conntrack: {
      maxPerCore: conntrack.maxPerCore ?? 32768,
      min: conntrack.min ?? 131072,
      tcpEstablishedTimeout: conntrack.tcpEstablishedTimeout ?? "24h0m0s",
      tcpCloseWaitTimeout: conntrack.tcpCloseWaitTimeout ?? "1h0m0s",
      tcpBeLiberal: conntrack.tcpBeLiberal ?? false,
      udpTimeout: conntrack.udpTimeout ?? "0s",
      udpStreamTimeout: conntrack.udpStreamTimeout ?? "0s",
    },
  };
}

/** Go's zero value "" means absent. */
function orElse<T extends string>(text: T | undefined, fallback: Exclude<T, "">): Exclude<T, ""> {
  return text === undefined || text === "" ? fallback : (text as Exclude<T, "">);
}
