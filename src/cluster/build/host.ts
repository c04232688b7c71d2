import type { Netns } from "../../linux/netns.ts";
import type { Network } from "../../linux/network.ts";
import type { HostModel } from "../objects/model.ts";
import { addDefaultRoute, addNic, addRoutes, applySysctls, listen } from "./machine.ts";
import type { Refusals } from "./refusals.ts";

/** A machine outside the cluster: its NICs, routes, settings, and the ports it listens on. */
export function addHost(network: Network, host: HostModel, refusals: Refusals): Netns {
  const netns = network.addNetns(host.name);
  applySysctls(netns, host);
  for (const nic of host.nics) addNic(netns, nic);
  addDefaultRoute(netns, host.gateway, refusals);
  addRoutes(netns, host.routes, refusals);
  for (const port of host.listen) listen(netns, port, null, refusals);
  return netns;
}
