import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { bridgeFdb } from "../../topology/export/bridge-fdb.ts";
import { conntrackList } from "../../topology/export/conntrack.ts";
import { ipAddr } from "../../topology/export/ip-addr.ts";
import { ipNeigh } from "../../topology/export/ip-neigh.ts";
import { ipRoute } from "../../topology/export/ip-route.ts";
import { RequestError } from "../../trace/request.ts";
import type { StateAnswer } from "../view/api.ts";

/**
 * What the real tools would print in a namespace now.
 *
 * @throws RequestError when there is no such namespace.
 */
export function namespaceState(cluster: SimulatedCluster, name: string): StateAnswer {
  const netns = cluster.network.namespaces.get(name);
  if (netns === undefined) throw new RequestError(`there is no namespace ${name}`);
  return {
    netns: name,
    rules: netns.netfilter.save(),
    routes: ipRoute(netns),
    addresses: ipAddr(netns),
    neighbours: ipNeigh(netns),
    fdb: bridgeFdb(netns),
    conntrack: conntrackList(netns),
  };
}
