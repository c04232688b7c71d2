import type { NetDevice } from "../../linux/device/device.ts";
import { Dummy } from "../../linux/device/dummy.ts";
import { addAddress, setLinkUp } from "../../linux/ip/address.ts";
import { RT_TABLE_LOCAL } from "../../linux/ip/route.ts";
import { Ipvs } from "../../linux/ipvs/ipvs.ts";
import type { VirtualServer } from "../../linux/ipvs/service.ts";
import {
  addIpPort,
  addIpPortBlock,
  addPort,
  addAddress as addSetAddress,
  type Ipset,
  newIpset,
} from "../../linux/netfilter/rules/ipset.ts";
import type { Netns } from "../../linux/netns.ts";
import { netmask, parseIpv4 } from "../../packet/address.ts";
import { isLoopback } from "../kube-proxy/ipv4.ts";
import { KUBE_IPSETS } from "../kube-proxy/ipvs/ipsets.ts";
import { type IpvsSync, ipvsSync, type KubeVirtualServer } from "../kube-proxy/ipvs/sync.ts";
import { selectedAddresses } from "../kube-proxy/node-port-addresses.ts";
import { proxier } from "../kube-proxy/proxier.ts";
import type { IpvsScheduler } from "../objects/kube-proxy-configuration.ts";
import type { ClusterModel, NodeModel } from "../objects/model.ts";
import { kubeProxyConfiguration, proxyNodeOf, type ServiceState } from "./kube-proxy.ts";

/** The device that holds the virtual servers' addresses, so that packets to them come in at all. */
const DEVICE = "kube-ipvs0";

/** What kube-proxy in ipvs mode sets up on this node. Throws RangeError for kube-proxy 1.7. */
export function kubeProxyIpvs(
  model: ClusterModel,
  services: ServiceState,
  node: NodeModel,
  netns: Netns,
): IpvsSync {
  if (services.version !== "1.32") throw new RangeError("kube-proxy 1.7 has no ipvs mode");
  const own = proxier(kubeProxyConfiguration(model), proxyNodeOf(model, node, netns));
  const bound = new Set((netns.devices.get(DEVICE)?.addresses ?? []).map(({ local }) => local));
  const nodeAddresses = own.interfaceAddresses.filter((text) => !bound.has(parseIpv4(text)));
  const { nodePortAddresses: wanted } = own;
  return ipvsSync(services.state, {
    proxier: own,
    nodeAddresses,
    // GetAllLocalAddressesExcept leaves loopback out
    nodePortAddresses: (wanted.matchAll ? nodeAddresses : selectedAddresses(wanted, nodeAddresses)).filter(
      (text) => !isLoopback(parseIpv4(text)),
    ),
  });
}

/**
 * kube-ipvs0 with its addresses, the sets, the virtual servers. The device is really down; here it is up, because an
 * address of a device that is down would not be local.
 */
export function installIpvs(netns: Netns, sync: IpvsSync, scheduler: IpvsScheduler): void {
  const device = netns.devices.get(DEVICE) ?? addDevice(netns);
  const held = new Set(device.addresses.map(({ local }) => local));
  for (const text of sync.boundAddresses) {
    const local = parseIpv4(text);
    if (!held.has(local)) addAddress(device, { local, prefixLength: 32 });
  }
  const wanted = new Set(sync.boundAddresses.map(parseIpv4));
  for (const local of held) if (!wanted.has(local)) unbind(device, local);
  for (const [name, { type }] of KUBE_IPSETS) {
    const set = newIpset(name, type);
    for (const entry of sync.ipsets.get(name) ?? []) addEntry(set, entry);
    netns.netfilter.state.sets.set(name, set);
  }
  netns.ipvs ??= new Ipvs(netns);
  netns.ipvs.install(sync.virtualServers.map((server) => virtualServer(server, scheduler)));
}

function addDevice(netns: Netns): NetDevice {
  const device = new Dummy(netns, DEVICE, 0x02000000f000);
  setLinkUp(device, true);
  return device;
}

/** `ip addr del`, of an address that has no route but its own. */
function unbind(device: NetDevice, local: number): void {
  const at = device.addresses.findIndex((address) => address.local === local);
  device.addresses.splice(at, 1);
  const { fib } = device.netns;
  for (const entry of [...fib.entries(RT_TABLE_LOCAL)])
    if (entry.dev === device && entry.destination === local) fib.remove(entry);
}

const PROTOCOLS = { tcp: 6, udp: 17, sctp: 132 } as const;

function virtualServer(
  { protocol, address, port, persistentSeconds, destinations }: KubeVirtualServer,
  scheduler: IpvsScheduler,
): VirtualServer {
  return {
    protocol: PROTOCOLS[protocol],
    address: parseIpv4(address),
    port,
    scheduler,
    persistentSeconds,
    destinations: destinations.map((one) => ({ address: parseIpv4(one.ip), port: one.port, weight: 1 })),
  };
}

/** Puts a member in as ipset prints it: `10.96.0.1`, `10.96.0.1,tcp:443`, `10.0.0.1,tcp:80,10.0.0.1`, `30080`. */
function addEntry(set: Ipset, entry: string): void {
  const [address = "", service = "", third = ""] = entry.split(",");
  const [protocol = "", port = ""] = service.split(":");
  const number = PROTOCOLS[protocol as keyof typeof PROTOCOLS];
  switch (set.type) {
    case "bitmap:port":
      addPort(set, Number(entry));
      return;
    case "hash:ip":
      addSetAddress(set, parseIpv4(address));
      return;
    case "hash:ip,port":
      addIpPort(set, parseIpv4(address), number, Number(port));
      return;
    case "hash:ip,port,ip":
    case "hash:ip,port,net": {
      const [base = "", length = "32"] = third.split("/");
      addIpPortBlock(set, parseIpv4(address), number, Number(port), {
        address: parseIpv4(base),
        mask: netmask(Number(length)),
      });
      return;
    }
    case "hash:net":
      throw new RangeError("kube-proxy has no set of blocks");
  }
}
