import { Bridge } from "../../linux/device/bridge.ts";
import { RT_SCOPE_HOST, RT_SCOPE_LINK, RT_SCOPE_UNIVERSE, type Scope } from "../../linux/device/device.ts";
import { Vxlan } from "../../linux/device/vxlan.ts";
import { type FibEntry, ROUTE_TYPE_NAMES, RT_TABLE_LOCAL, RT_TABLE_MAIN } from "../../linux/ip/route.ts";
import type { RouteType } from "../../linux/netfilter/context.ts";
import type { Netns } from "../../linux/netns.ts";
import { parseIpv4, parseMac } from "../../packet/address.ts";
import type { NamespaceSnapshot, RouteRow } from "./files.ts";

/** Settings that are simulated, as `sysctl -a` lists them: those for all devices before those of one. */
export function applySysctls(netns: Netns, text: string): void {
  const settings = text
    .split("\n")
    .map((line) => /^(net\.\S+) = (-?\d+)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => [match[1]!, Number(match[2])] as const);
  const rank = (name: string): number =>
    name.endsWith("ip_forward") ? 0 : name.includes(".conf.all.") ? 1 : 2;
  for (const [name, value] of settings.sort(([a], [b]) => rank(a) - rank(b))) {
    try {
      netns.sysctl.set(name, value);
    } catch (error) {
      // a kernel has hundreds of settings that no packet here depends on
      if (!(error instanceof RangeError)) throw error;
    }
  }
  const range = /^net\.ipv4\.ip_local_port_range = (\d+)\s+(\d+)$/m.exec(text);
  if (range !== null) netns.sysctl.localPortRange = [Number(range[1]), Number(range[2])];
}

const SCOPES: Record<string, Scope> = { global: RT_SCOPE_UNIVERSE, link: RT_SCOPE_LINK, host: RT_SCOPE_HOST };

/** Puts the collected routing tables in the place of those that came with the addresses. */
export function replaceRoutes(netns: Netns, rows: readonly RouteRow[]): string[] {
  for (const table of [RT_TABLE_LOCAL, RT_TABLE_MAIN] as const)
    for (const entry of [...netns.fib.entries(table)]) netns.fib.remove(entry);
  const unknown: string[] = [];
  for (const row of rows) {
    const entry = routeEntry(netns, row);
    if (typeof entry === "string") unknown.push(entry);
    else netns.fib.add(entry, true);
  }
  return unknown;
}

function routeEntry(netns: Netns, row: RouteRow): FibEntry | string {
  const what = `route ${row.dst}`;
  const table =
    row.table === undefined || row.table === "main"
      ? RT_TABLE_MAIN
      : row.table === "local"
        ? RT_TABLE_LOCAL
        : null;
  if (table === null) return `${what}: table ${row.table} is not simulated`;
  const type = (Object.entries(ROUTE_TYPE_NAMES).find(([, name]) => name === (row.type ?? "unicast"))?.[0] ??
    null) as `${RouteType}` | null;
  if (type === null) return `${what}: type ${row.type} is not simulated`;
  const dev = row.dev === undefined ? null : (netns.devices.get(row.dev) ?? null);
  if (row.dev !== undefined && dev === null) return `${what}: there is no device ${row.dev}`;
  const [address, length = "32"] = row.dst === "default" ? ["0.0.0.0", "0"] : row.dst.split("/");
  return {
    table,
    type: Number(type) as RouteType,
    destination: parseIpv4(address!),
    prefixLength: Number(length),
    gateway: row.gateway === undefined ? 0 : parseIpv4(row.gateway),
    dev,
    prefsrc: row.prefsrc === undefined ? 0 : parseIpv4(row.prefsrc),
    metric: row.metric ?? 0,
    scope: SCOPES[row.scope ?? "global"] ?? RT_SCOPE_UNIVERSE,
    protocol: row.protocol === "kernel" ? "kernel" : row.protocol === "static" ? "static" : "boot",
    onlink: row.flags.includes("onlink"),
    mtu: row.metrics?.find(({ mtu }) => mtu !== undefined)?.mtu ?? 0,
  };
}

/** Neighbours with a MAC, as sure as they were. */
export function addNeighbours(netns: Netns, { neighs }: NamespaceSnapshot): void {
  for (const { dst, dev: name, lladdr, state } of neighs) {
    const dev = netns.devices.get(name);
    if (dev === undefined || lladdr === undefined) continue;
    const neighbour = netns.neighbours.get(dev, parseIpv4(dst));
    if (state.includes("PERMANENT")) neighbour.fix(parseMac(lladdr), "PERMANENT");
    else if (state.includes("REACHABLE")) neighbour.fix(parseMac(lladdr), "REACHABLE");
    else if (state.some((s) => s === "STALE" || s === "DELAY" || s === "PROBE"))
      neighbour.fix(parseMac(lladdr), "STALE");
  }
}

/** What bridges have learned and VXLAN devices were told. */
export function addForwardingEntries(netns: Netns, { fdb }: NamespaceSnapshot): void {
  for (const { mac, ifname, dst, master, state } of fdb) {
    const dev = netns.devices.get(ifname);
    if (dev === undefined) continue;
    if (dev instanceof Vxlan && dst !== undefined) dev.fdb.set(parseMac(mac), parseIpv4(dst));
    const bridge = master === undefined ? undefined : netns.devices.get(master);
    if (bridge instanceof Bridge && dev.port !== null && state !== "permanent")
      bridge.fdb.learn(parseMac(mac), dev.port);
  }
}

/** Sockets that listen, as `ss -lntuH` lists them: `tcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:*`. */
export function addListeners(netns: Netns, text: string): void {
  for (const line of text.split("\n")) {
    const [protocol, , , , local] = line.trim().split(/\s+/);
    if ((protocol !== "tcp" && protocol !== "udp") || local === undefined) continue;
    const at = local.lastIndexOf(":");
    const port = Number(local.slice(at + 1));
    const host = local.slice(0, at).replace(/%.*$/, "");
    // an IPv6 wildcard socket takes IPv4 too
    const any = host === "*" || host === "0.0.0.0" || host === "[::]";
    if (!Number.isInteger(port) || (!any && !/^\d+(\.\d+){3}$/.test(host))) continue;
    if (protocol === "udp" && netns.sockets.udp.isBound(port)) continue;
    try {
      netns.sockets.listen({ protocol, port, address: any ? 0 : parseIpv4(host), owner: null });
    } catch (error) {
      // one socket for IPv4 and one for IPv6
      if (!(error instanceof RangeError)) throw error;
    }
  }
}
