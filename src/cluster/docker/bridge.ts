import { Bridge } from "../../linux/device/bridge.ts";
import { addAddress, setLinkUp } from "../../linux/ip/address.ts";
import type { Netns } from "../../linux/netns.ts";
import { stableHash } from "../build/identity.ts";
import { toBlock } from "../objects/address.ts";
import { macOfAddress } from "./mac.ts";

/** MTU of a new Ethernet device (include/uapi/linux/if_ether.h). */
export const ETH_DATA_LEN = 1500;

/** What docker's daemon is started with. */
export interface DockerBridgeOptions {
  /** `--bridge`; docker's own is `docker0`. */
  readonly name?: string;
  /** `--bip`: the bridge's own address with its prefix length, `192.168.96.1/24`. */
  readonly address: string;
  /** Until ports come, whose smallest it takes then; 1500. */
  readonly mtu?: number;
  /** Below 2^48. Left out: 02:42 and four octets that the node's and the bridge's names decide, where docker draws them. */
  readonly mac?: number;
}

/**
 * Makes docker's bridge, up and with its address (libnetwork drivers/bridge/setup_device.go, setup_ipv4.go, release
 * v0.8, docker 1.12 and 1.13): docker asks for an address without a broadcast address, which `ip addr` shows as
 * `inet 192.168.96.1/24 scope global docker0`. The bridge's MAC is set by hand, so no port changes it.
 */
export function addDockerBridge(node: Netns, options: DockerBridgeOptions): Bridge {
  const { name = "docker0", mtu = ETH_DATA_LEN } = options;
  const mac = options.mac ?? macOfAddress(stableHash(`${node.name}/${name}`));
  const bridge = new Bridge(node, name, mac, mtu);
  const { address, length } = toBlock(options.address);
  addAddress(bridge, { local: address, prefixLength: length });
  setLinkUp(bridge, true);
  return bridge;
}
