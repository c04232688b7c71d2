import { Bridge } from "../../linux/device/bridge.ts";
import type { NetDevice } from "../../linux/device/device.ts";
import { Dummy } from "../../linux/device/dummy.ts";
import { Nic } from "../../linux/device/segment.ts";
import { Tun } from "../../linux/device/tun.ts";
import { Veth } from "../../linux/device/veth.ts";
import { Vxlan } from "../../linux/device/vxlan.ts";
import { addAddress, setLinkUp } from "../../linux/ip/address.ts";
import type { Netns } from "../../linux/netns.ts";
import { formatIpv4, networkOf, parseIpv4, parseMac } from "../../packet/address.ts";
import type { AddrRow, LinkRow, NamespaceSnapshot } from "./files.ts";

const SCOPES: Record<string, 0 | 200 | 253 | 254> = { global: 0, site: 200, link: 253, host: 254 };

/** The devices of a namespace by their index there. */
export type DevicesByIndex = Map<number, NetDevice>;

/** Two ends of veth pairs that were collected, each in its namespace: the node's and the pod's. */
export interface VethEnds {
  readonly netns: Netns;
  readonly row: LinkRow;
  readonly dev: Veth;
}

/**
 * Makes a namespace's devices as `ip -d link` lists them, down and without addresses. A veth whose other end is in no
 * collected namespace, and whatever has no kind, is a NIC; `isPaired` tells them apart.
 */
export function addDevices(
  netns: Netns,
  snapshot: NamespaceSnapshot,
  isPaired: (row: LinkRow) => boolean,
): { devices: DevicesByIndex; veths: VethEnds[]; unknown: string[] } {
  const devices: DevicesByIndex = new Map();
  const veths: VethEnds[] = [];
  const unknown: string[] = [];
  const addresses = addressesByDevice(snapshot.addrs);
  // a VXLAN device names the device that carries it, which may be listed later
  const rows = [...snapshot.links].sort(
    (a, b) => Number(kindOf(a) === "vxlan") - Number(kindOf(b) === "vxlan"),
  );
  for (const row of rows) {
    const dev = makeDevice(netns, row, isPaired(row), addresses.get(row.ifname) ?? [], devices);
    if (dev === null) {
      unknown.push(`${row.ifname}: devices of kind ${kindOf(row)} are not simulated`);
      continue;
    }
    dev.promiscuous = row.flags.includes("PROMISC");
    if (row.flags.includes("NOARP")) dev.noarp = true;
    devices.set(row.ifindex, dev);
    if (dev.kind === "veth") veths.push({ netns, row, dev: dev as Veth });
  }
  return { devices, veths, unknown };
}

const kindOf = (row: LinkRow): string =>
  row.linkinfo?.info_kind ?? (row.flags.includes("LOOPBACK") ? "loopback" : "nic");
const macOf = (row: LinkRow): number =>
  /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(row.address ?? "") ? parseMac(row.address!) : 0;

function makeDevice(
  netns: Netns,
  row: LinkRow,
  paired: boolean,
  addresses: readonly string[],
  devices: DevicesByIndex,
): NetDevice | null {
  const { ifname: name, mtu } = row;
  const kind = kindOf(row);
  switch (kind) {
    case "loopback":
      return netns.loopback;
    case "bridge":
      return new Bridge(netns, name, macOf(row), mtu);
    case "tun":
      return new Tun(netns, name, mtu);
    case "dummy":
      return new Dummy(netns, name, macOf(row), mtu);
    case "vxlan": {
      const { id, port, local, link, learning } = row.linkinfo?.info_data ?? {};
      if (typeof id !== "number" || typeof local !== "string") return null;
      const lower =
        typeof link === "string" ? ([...devices.values()].find((dev) => dev.name === link) ?? null) : null;
      return new Vxlan(netns, name, macOf(row), mtu, {
        vni: id,
        port: typeof port === "number" ? port : 8472,
        local: parseIpv4(local),
        lower,
        learning: learning !== false,
      });
    }
    case "veth":
      return paired ? new Veth(netns, name, macOf(row), mtu) : nic(netns, row, addresses);
    case "nic":
      return nic(netns, row, addresses);
    default:
      return null;
  }
}

/** NICs with addresses of one subnet are on one wire; one without an address has a wire of its own. */
function nic(netns: Netns, row: LinkRow, addresses: readonly string[]): NetDevice {
  const { network } = netns;
  const name = addresses[0] === undefined ? `${netns.name} ${row.ifname}` : subnetOf(addresses[0]);
  const segment = network.segments.get(name) ?? network.addSegment(name);
  return new Nic(netns, row.ifname, macOf(row), row.mtu, segment);
}

function subnetOf(cidr: string): string {
  const [address, length] = cidr.split("/") as [string, string];
  return `${formatIpv4(networkOf(parseIpv4(address), Number(length)))}/${length}`;
}

function addressesByDevice(rows: readonly AddrRow[]): Map<string, string[]> {
  return new Map(
    rows.map(({ ifname, addr_info }) => [
      ifname,
      addr_info
        .filter(({ family }) => family === "inet")
        .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    ]),
  );
}

/** Joins the two ends of every pair: each names the other's index, and the node's the pod's namespace. */
export function joinVeths(veths: readonly VethEnds[], nsids: ReadonlyMap<string, number | null>): void {
  for (const pod of veths) {
    const nsid = nsids.get(pod.netns.name);
    if (nsid === undefined) continue;
    const end = veths.find(
      ({ netns, row }) =>
        netns !== pod.netns &&
        !nsids.has(netns.name) &&
        row.ifindex === pod.row.link_index &&
        row.link_index === pod.row.ifindex &&
        (nsid === null || row.link_netnsid === undefined || row.link_netnsid === nsid),
    );
    if (end === undefined) continue;
    end.dev.peer = pod.dev;
    pod.dev.peer = end.dev;
  }
}

/** Enslaves ports, in the order of their indices as a bridge gets them, and brings everything up that was up. */
export function bringUp(netns: Netns, snapshot: NamespaceSnapshot, devices: DevicesByIndex): void {
  for (const row of [...snapshot.links].sort((a, b) => a.ifindex - b.ifindex)) {
    const dev = devices.get(row.ifindex);
    if (dev === undefined) continue;
    const master = row.master === undefined ? undefined : netns.devices.get(row.master);
    if (master instanceof Bridge)
      master.addPort(dev, { hairpin: row.linkinfo?.info_slave_data?.hairpin ?? false });
    if (row.flags.includes("UP")) setLinkUp(dev, true);
  }
  for (const { ifname, addr_info } of snapshot.addrs) {
    const dev = netns.devices.get(ifname);
    if (dev === undefined) continue;
    for (const { family, local, prefixlen, broadcast, scope } of addr_info) {
      if (family !== "inet" || (dev.loopback && local === "127.0.0.1")) continue;
      addAddress(dev, {
        local: parseIpv4(local),
        prefixLength: prefixlen,
        broadcast: broadcast === undefined ? null : parseIpv4(broadcast),
        scope: SCOPES[scope] ?? 0,
      });
    }
  }
}
