import type { SimulatedCluster } from "../../src/cluster/build/cluster.ts";
import type { ClusterModel } from "../../src/cluster/objects/model.ts";
import type { LabSession } from "../../src/lab/session.ts";
import type { Chooser } from "../../src/linux/chooser.ts";

/** Settings that are switched while traffic goes on. */
const SWITCHES = [
  ["net.ipv4.ip_forward", 1],
  ["net.bridge.bridge-nf-call-iptables", 1],
  ["net.ipv4.conf.all.rp_filter", 2],
  ["net.ipv4.conf.all.route_localnet", 1],
] as const;

/** Changes something in both worlds; gives what, in words. */
export async function randomChange(session: LabSession, chooser: Chooser): Promise<string> {
  const one = <T>(list: readonly T[]): T => list[chooser.pick(list.length, "id")]!;
  const node = one([...session.cluster.nodes.values()]);
  const netns = node.netns.name;
  switch (one(["sysctl", "hairpin", "policy", "endpoint", "endpoint"] as const)) {
    case "sysctl": {
      const [name, most] = one(SWITCHES);
      const value = chooser.pick(most + 1, "id");
      await session.change(() => node.netns.sysctl.set(name, value), {
        change: { netns, sysctl: [[name, value]] },
      });
      return `${netns}: sysctl ${name}=${value}`;
    }
    case "hairpin": {
      const ports = node.bridge.ports;
      if (ports.length === 0) return `${netns}: nothing`;
      const port = one(ports);
      const hairpin = !port.hairpin;
      const word = hairpin ? "on" : "off";
      await session.change(
        () => {
          port.hairpin = hairpin;
        },
        { change: { netns, ip: [`link set ${port.dev.name} type bridge_slave hairpin ${word}`] } },
      );
      return `${netns}: hairpin ${word} at ${port.dev.name}`;
    }
    case "policy": {
      const policy = one(["ACCEPT", "DROP"]);
      await session.change(
        () => node.netns.netfilter.load(`*filter\n:FORWARD ${policy} [0:0]\nCOMMIT\n`, { noflush: true }),
        { rules: true },
      );
      return `${netns}: iptables -P FORWARD ${policy}`;
    }
    case "endpoint":
      return switchEndpoint(session, chooser);
  }
}

/** An endpoint of a Service stops being ready, or is again: every kube-proxy follows. */
async function switchEndpoint(session: LabSession, chooser: Chooser): Promise<string> {
  const { model } = session.cluster;
  const slices = model.endpointSlices.filter(({ endpoints }) => endpoints.length > 0);
  if (slices.length === 0) return "no endpoint to change";
  const slice = slices[chooser.pick(slices.length, "id")]!;
  const at = chooser.pick(slice.endpoints.length, "id");
  const ready = slice.endpoints[at]!.conditions?.ready === false;
  const changed: ClusterModel = {
    ...model,
    endpointSlices: model.endpointSlices.map((one) =>
      one !== slice
        ? one
        : {
            ...one,
            endpoints: one.endpoints.map((endpoint, i) =>
              i === at
                ? { ...endpoint, conditions: { ...endpoint.conditions, ready, serving: ready } }
                : endpoint,
            ),
          },
    ),
  };
  await session.change((cluster: SimulatedCluster) => cluster.update(changed), { rules: true });
  return `endpoint ${slice.endpoints[at]!.addresses[0]} of ${slice.metadata?.name} ${ready ? "is" : "is not"} ready`;
}
