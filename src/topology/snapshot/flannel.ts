import { lease } from "../../cluster/flannel/lease.ts";
import { UdpProxy } from "../../cluster/flannel/udp/proxy.ts";
import { Bridge } from "../../linux/device/bridge.ts";
import { Tun } from "../../linux/device/tun.ts";
import type { Netns } from "../../linux/netns.ts";
import { formatIpv4, networkOf } from "../../packet/address.ts";

/**
 * flannel's udp daemon is a process, and its leases are in etcd: a snapshot has neither. It is started anew on every
 * node that has its TUN device, knowing the subnets of all nodes that were collected with this one.
 */
export function startFlannelUdp(nodes: readonly Netns[], port: number): string[] {
  const found = nodes.flatMap((netns) => {
    const tun = [...netns.devices.values()].find(
      (dev) => dev instanceof Tun && dev.name.startsWith("flannel"),
    );
    const nic = [...netns.devices.values()].find((dev) => dev.kind === "nic" && dev.addresses.length > 0);
    const bridge = [...netns.devices.values()].find(
      (dev) => dev instanceof Bridge && dev.addresses.length > 0,
    );
    const inside = tun?.addresses[0];
    const outside = nic?.addresses[0];
    const pods = bridge?.addresses[0];
    if (!(tun instanceof Tun) || inside === undefined || outside === undefined || pods === undefined)
      return [];
    const subnet = `${formatIpv4(networkOf(inside.local, pods.prefixLength))}/${pods.prefixLength}`;
    return [
      {
        netns,
        tun,
        inside: inside.local,
        outside: outside.local,
        lease: lease(subnet, formatIpv4(outside.local)),
      },
    ];
  });
  for (const one of found) {
    const proxy = new UdpProxy(one.tun, one.inside, one.outside, port);
    for (const other of found) if (other !== one) proxy.setRoute(other.lease);
    one.tun.owner = proxy;
    one.netns.sockets.udp.bind({
      address: one.outside,
      port,
      owner: "flanneld",
      receive: (skb) => proxy.receive(skb),
    });
  }
  return found.length === 1
    ? [
        `${found[0]!.netns.name}: flannel's other nodes were not collected: nothing goes through ${found[0]!.tun.name}`,
      ]
    : [];
}
