/** flannel's net-conf.json: schema, and flannel's own defaults (`pkg/subnet/config.go`, `pkg/backend`). */
import { z } from "zod";
import { blockAround, blockText, encloses, toBlock, toNumber } from "./address.ts";
import { address, block, integer, oneOf, port } from "./field.ts";
import type { FlannelBackend, FlannelModel } from "./model.ts";
import type { FieldFault } from "./validate.ts";

/** Port of the udp back end (`pkg/backend/udp: defaultPort`) and of Linux' vxlan device. */
const UDP_PORT = 8285;
const VXLAN_PORT = 8472;

const BACKENDS = ["udp", "vxlan", "host-gw"] as const;

const backendShape = {
  Type: oneOf(BACKENDS).optional(),
  Port: integer(0, 65535).optional(),
  VNI: integer(0, 2 ** 24 - 1).optional(),
};

const shape = {
  Network: block().optional(),
  SubnetLen: integer(1, 30).optional(),
  SubnetMin: address().optional(),
  SubnetMax: address().optional(),
};

/** net-conf.json as flannel reads it: keys it does not know are passed over. */
export const netConfSchema = z.looseObject({ ...shape, Backend: z.looseObject(backendShape).optional() });

/**
 * `spec.flannel` of a Cluster: net-conf.json's keys, flannel's `--ip-masq`, and `forwardRules`: that flanneld accepts its
 * network's traffic in FORWARD, as it does since 0.9.1 (`--iptables-forward-rules`).
 */
export const flannelSchema = z.strictObject({
  ...shape,
  Backend: z.strictObject({ ...backendShape, Port: port().optional() }).optional(),
  ipMasq: z.boolean().optional(),
  forwardRules: z.boolean().optional(),
});

/** What either of them says. */
export interface NetConf {
  Network?: string | undefined;
  SubnetLen?: number | undefined;
  SubnetMin?: string | undefined;
  SubnetMax?: string | undefined;
  Backend?:
    | { Type?: (typeof BACKENDS)[number] | undefined; Port?: number | undefined; VNI?: number | undefined }
    | undefined;
  ipMasq?: boolean | undefined;
  forwardRules?: boolean | undefined;
}

/** First and last node subnet flannel leases, as network addresses. */
export interface SubnetRange {
  min: number;
  max: number;
}

/** The complete configuration. `fallbackNetwork` is used when none is stated. */
export function resolveNetConf(
  conf: NetConf,
  fallbackNetwork: string,
): FlannelModel & { range: SubnetRange } {
  const network = toBlock(conf.Network ?? fallbackNetwork);
  const subnetLen = conf.SubnetLen ?? (network.length <= 22 ? 24 : network.length + 2);
  const subnetSize = 2 ** (32 - subnetLen);
  return {
    network: blockText(network),
    subnetLen,
    backend: resolveBackend(conf),
    ipMasq: conf.ipMasq ?? false,
    forwardRules: conf.forwardRules ?? false,
    range: {
      min: conf.SubnetMin === undefined ? network.base + subnetSize : toNumber(conf.SubnetMin),
      max: conf.SubnetMax === undefined ? network.base + network.size - subnetSize : toNumber(conf.SubnetMax),
    },
  };
}

function resolveBackend({ Backend = {} }: NetConf): FlannelBackend {
  const port = Backend.Port ?? 0;
  switch (Backend.Type) {
    case "host-gw":
      return { type: "host-gw" };
    case "vxlan":
      return { type: "vxlan", vni: Backend.VNI ?? 1, port: port === 0 ? VXLAN_PORT : port };
    case "udp":
    case undefined:
      return { type: "udp", port: port === 0 ? UDP_PORT : port };
  }
}

/** What does not fit together in a configuration (`CheckNetworkConfig`); paths are relative to it. */
export function netConfFaults(conf: NetConf, fallbackNetwork: string): FieldFault[] {
  const { subnetLen, range } = resolveNetConf(conf, fallbackNetwork);
  const network = toBlock(conf.Network ?? fallbackNetwork);
  const faults: FieldFault[] = [];
  if (network.length > 28)
    return [{ path: ["Network"], text: `${blockText(network)} is too small: at least a /28 is needed` }];
  if (subnetLen < network.length + 2)
    faults.push({
      path: ["SubnetLen"],
      text: `a /${network.length} must hold at least four subnets, /${subnetLen} are too large`,
    });
  for (const [key, base] of [["SubnetMin", range.min] as const, ["SubnetMax", range.max] as const]) {
    if (conf[key] === undefined) continue;
    const subnet = blockAround(base, subnetLen);
    if (!encloses(network, blockAround(base, 32)))
      faults.push({ path: [key], text: `${conf[key]} is outside ${blockText(network)}` });
    else if (subnet.base !== base)
      faults.push({ path: [key], text: `${conf[key]} is not on a /${subnetLen} boundary` });
  }
  return faults;
}
