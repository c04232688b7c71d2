import { type NetDevice, RT_SCOPE_HOST, RT_SCOPE_LINK, RT_SCOPE_SITE } from "../../linux/device/device.ts";
import { Veth } from "../../linux/device/veth.ts";
import type { Netns } from "../../linux/netns.ts";
import { formatIpv4, formatMac } from "../../packet/address.ts";

const SCOPES: Readonly<Record<number, string>> = {
  [RT_SCOPE_SITE]: "site",
  [RT_SCOPE_LINK]: "link",
  [RT_SCOPE_HOST]: "host",
};
const TUN_QUEUE_LENGTH = 500;
const QUEUE_LENGTH = 1000;

/** What `ip addr` prints in a namespace without IPv6 (iproute2 6.1: ip/ipaddress.c, print_linkinfo and print_addrinfo). */
export function ipAddr(netns: Netns): string {
  const ids = peerNetnsIds(netns);
  return [...netns.devices.values()].map((dev) => linkText(dev, ids) + addressText(dev)).join("");
}

/** `link-netnsid` of each namespace at the other end of a veth, as the kernel hands them out: 0, 1, … */
function peerNetnsIds(netns: Netns): ReadonlyMap<Netns, number> {
  const ids = new Map<Netns, number>();
  for (const dev of netns.devices.values()) {
    const other = dev instanceof Veth ? dev.peer?.netns : undefined;
    if (other !== undefined && other !== netns && !ids.has(other)) ids.set(other, ids.size);
  }
  return ids;
}

function linkText(dev: NetDevice, ids: ReadonlyMap<Netns, number>): string {
  const peer = dev instanceof Veth ? dev.peer : null;
  const elsewhere = peer !== null && peer.netns !== dev.netns;
  const link = peer === null ? "" : `@${elsewhere ? `if${peer.ifindex}` : peer.name}`;
  const master = dev.port === null ? "" : ` master ${dev.port.bridge.name}`;
  const queue = dev.kind === "tun" ? TUN_QUEUE_LENGTH : QUEUE_LENGTH;
  const head = `${dev.ifindex}: ${dev.name}${link}: <${flags(dev).join(",")}> mtu ${dev.mtu} qdisc ${qdisc(dev)}`;
  const netnsid = elsewhere ? ` link-netnsid ${ids.get(peer.netns)}` : "";
  return `${head}${master} state ${state(dev)} group default qlen ${queue}\n    ${hardware(dev)}${netnsid}\n`;
}

/** In the order of print_link_flags. */
function flags(dev: NetDevice): string[] {
  const list: string[] = [];
  if (dev.up && !dev.carrier) list.push("NO-CARRIER");
  if (dev.loopback) list.push("LOOPBACK");
  else if (dev.headerless) list.push("POINTOPOINT", "MULTICAST", "NOARP");
  else list.push("BROADCAST", "MULTICAST");
  if (dev.promiscuous) list.push("PROMISC");
  if (dev.up) list.push("UP");
  if (dev.up && dev.carrier) list.push("LOWER_UP");
  if (peerIsDownHere(dev)) list.push("M-DOWN");
  return list;
}

const peerIsDownHere = (dev: NetDevice): boolean =>
  dev instanceof Veth && dev.up && dev.peer !== null && dev.peer.netns === dev.netns && !dev.peer.up;

function qdisc(dev: NetDevice): string {
  if (!dev.up) return "noop";
  return dev.kind === "nic" || dev.kind === "tun" ? "pfifo_fast" : "noqueue";
}

/** `operstate`: devices that do not report theirs are UNKNOWN while they have carrier. */
function state(dev: NetDevice): string {
  if (!dev.up) return "DOWN";
  if (!dev.carrier) return lowerLayerIsDown(dev) ? "LOWERLAYERDOWN" : "DOWN";
  return dev.kind === "loopback" || dev.kind === "tun" || dev.kind === "vxlan" ? "UNKNOWN" : "UP";
}

/**
 * net/core/link_watch.c: default_operstate looks for the other end by its index in this namespace, even when it
 * lives in another one. Either end of a veth pair lacks carrier while one of them is down.
 */
function lowerLayerIsDown(dev: NetDevice): boolean {
  const lower = dev instanceof Veth && dev.peer !== null ? dev.netns.deviceByIndex(dev.peer.ifindex) : null;
  if (lower === null) return false;
  return !(lower.carrier && (lower.up || !(lower instanceof Veth)));
}

function hardware(dev: NetDevice): string {
  if (dev.headerless) return "link/none ";
  if (dev.loopback) return "link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00";
  return `link/ether ${formatMac(dev.mac)} brd ff:ff:ff:ff:ff:ff`;
}

function addressText(dev: NetDevice): string {
  const ordered = [...dev.addresses].sort((a, b) => Number(a.secondary) - Number(b.secondary));
  return ordered
    .map(({ local, prefixLength, broadcast, scope, secondary }) => {
      const brd = broadcast === null ? "" : ` brd ${formatIpv4(broadcast)}`;
      const words = `scope ${SCOPES[scope] ?? "global"}${secondary ? " secondary" : ""} ${dev.name}`;
      return (
        `    inet ${formatIpv4(local)}/${prefixLength}${brd} ${words}\n` +
        "       valid_lft forever preferred_lft forever\n"
      );
    })
    .join("");
}
