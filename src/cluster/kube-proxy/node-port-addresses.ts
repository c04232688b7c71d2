import { blockContains, formatIpv4, type Ipv4Block, ipv4Blocks, isLoopback, parseIpv4 } from "./ipv4.ts";

/** On which of the node's addresses NodePorts are answered (pkg/proxy/util/nodeport_addresses.go). */
export interface NodePortAddresses {
  readonly blocks: readonly Ipv4Block[];
  /** Every address: the rule asks for destination type LOCAL instead of naming addresses. */
  readonly matchAll: boolean;
  readonly containsLoopback: boolean;
}

const LOOPBACK_START = 0x7f000000;

/**
 * Reads `nodePortAddresses`. `primary` alone means the node's own address, every address when that is a
 * loopback one (cmd/kube-proxy/app/server.go: newProxyServer); no IPv4 block at all means every address.
 *
 * @param nodeIP the node's IPv4 address, unsigned 32-bit.
 */
export function nodePortAddresses(given: readonly string[], nodeIP: number): NodePortAddresses {
  const primary = given.length === 1 && given[0] === "primary";
  const ownAddress = isLoopback(nodeIP) ? [] : [{ address: nodeIP, prefixLength: 32 }];
  const blocks = primary ? ownAddress : ipv4Blocks(given);
  if (blocks.length === 0) return { blocks, matchAll: true, containsLoopback: true };
  return {
    blocks,
    matchAll: blocks.some((block) => block.prefixLength === 0),
    containsLoopback: blocks.some(
      (block) => isLoopback(block.address) || blockContains(block, LOOPBACK_START),
    ),
  };
}

/** The interfaces' addresses that the blocks select, each once, in the order of blocks and then of interfaces. */
export function selectedAddresses(
  addresses: NodePortAddresses,
  interfaceAddresses: readonly string[],
): readonly string[] {
  const selected = new Set<string>();
  for (const block of addresses.blocks) {
    for (const text of interfaceAddresses) {
      const address = parseIpv4(text);
      if (address !== undefined && blockContains(block, address)) selected.add(formatIpv4(address));
    }
  }
  return [...selected];
}
