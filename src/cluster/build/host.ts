import { addRoute } from "../../linux/ip/address.ts";
import type { Netns } from "../../linux/netns.ts";
import type { Network } from "../../linux/network.ts";
import { toBlock, toNumber } from "../objects/address.ts";
import type { HostModel } from "../objects/model.ts";
import { addDefaultRoute, addNic, applySysctls, listen } from "./machine.ts";
import { attempt, type Refusals } from "./refusals.ts";

/** A machine outside the cluster: its NICs, routes, settings, and the ports it listens on. */
export function addHost(network: Network, host: HostModel, refusals: Refusals): Netns {
  const netns = network.addNetns(host.name);
  applySysctls(netns, host);
  for (const nic of host.nics) addNic(netns, nic);
  addDefaultRoute(netns, host.gateway, refusals);
  for (const { to, via } of host.routes) {
    const { base, length } = toBlock(to);
    attempt(refusals, `${host.name}: ip route add ${to} via ${via}`, () =>
      addRoute(netns, { destination: base, prefixLength: length, gateway: toNumber(via) }),
    );
  }
  for (const port of host.listen) listen(netns, port, null, refusals);
  return netns;
}
