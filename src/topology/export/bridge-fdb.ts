import { Bridge } from "../../linux/device/bridge.ts";
import type { NetDevice } from "../../linux/device/device.ts";
import { Vxlan } from "../../linux/device/vxlan.ts";
import type { Netns } from "../../linux/netns.ts";
import { formatIpv4, formatMac } from "../../packet/address.ts";

/** 224.0.0.1, all hosts: joined by every Ethernet device that is up. */
const ALL_HOSTS = "01:00:5e:00:00:01";
/** 224.0.0.106, all snoopers: joined by a bridge. */
const ALL_SNOOPERS = "01:00:5e:00:00:6a";

/** What `bridge fdb show` prints in a namespace without IPv6, device by device (iproute2 6.1: bridge/fdb.c, print_fdb). */
export function bridgeFdb(netns: Netns): string {
  netns.fib.complete();
  const lines = [...netns.devices.values()].flatMap(linesOf);
  return lines.map((text) => `${text}\n`).join("");
}

function linesOf(dev: NetDevice): string[] {
  if (dev instanceof Vxlan)
    return [...dev.fdb].map(
      ([mac, remote]) => `${formatMac(mac)} dev ${dev.name} dst ${formatIpv4(remote)} self permanent`,
    );
  if (dev.loopback || dev.headerless) return [];
  const joined = dev.up ? [...(dev instanceof Bridge ? [ALL_SNOOPERS] : []), ALL_HOSTS] : [];
  const own = joined.map((mac) => `${mac} dev ${dev.name} self permanent`);
  return dev instanceof Bridge ? [...own, ...masterLines(dev, dev)] : [...portLines(dev), ...own];
}

const portLines = (dev: NetDevice): string[] => (dev.port === null ? [] : masterLines(dev.port.bridge, dev));

/** The bridge's entries for one of its ports, or for itself; newest first, as the kernel's list has them. */
function masterLines(bridge: Bridge, dev: NetDevice): string[] {
  // asking forgets what has aged
  const known = [...bridge.fdb.entries.keys()].flatMap((mac) => bridge.fdb.find(mac) ?? []);
  const own = known.filter(({ port }) => (dev === bridge ? port === null : port?.dev === dev)).reverse();
  return own.map(
    ({ mac, permanent }) =>
      `${formatMac(mac)} dev ${dev.name} master ${bridge.name} ${permanent ? "permanent" : ""}`,
  );
}
