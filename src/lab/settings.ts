import { DEVICE_CONF_KEYS, type DeviceConf, SCALAR_SYSCTLS, type Sysctl } from "../linux/sysctl.ts";

/** A sysctl and its value. */
export type Setting = readonly [name: string, value: number | string];

/** What the lab wants of every namespace, and the simulation takes for granted. */
const EVERYWHERE: readonly Setting[] = [
  // nothing is simulated of IPv6, and its own traffic would cross the captures
  ["net.ipv6.conf.all.disable_ipv6", 1],
  ["net.ipv6.conf.default.disable_ipv6", 1],
  // unprivileged echo requests, by which flows of protocol icmp are sent
  ["net.ipv4.ping_group_range", "0 2147483647"],
  // what one connection learns of a path must not change the next
  ["net.ipv4.tcp_no_metrics_save", 1],
];

/** Settings of a namespace's own, to be made while it has no device but lo: every one that is simulated. */
export function settings(sysctl: Sysctl): Setting[] {
  const conf = (who: "all" | "default"): Setting[] =>
    // forwarding first: writing it changes others
    DEVICE_CONF_KEYS.map((key) => [`net.ipv4.conf.${who}.${key}`, sysctl[who][key]]);
  const scalars: Setting[] = SCALAR_SYSCTLS.map((name) => [name, sysctl.scalar[name]]);
  const [first, last] = sysctl.localPortRange;
  return [
    ...EVERYWHERE,
    ...conf("all"),
    ...conf("default"),
    ...scalars.filter(([name]) => !name.startsWith("net.netfilter.nf_conntrack_sctp")),
    ["net.ipv4.ip_local_port_range", `${first} ${last}`],
  ];
}

/** Settings of one device that differ from what it takes over when it appears. */
export function deviceSettings(device: string, conf: DeviceConf, inherited: DeviceConf): Setting[] {
  const name = device.replaceAll(".", "/");
  const keys =
    device === "lo" ? DEVICE_CONF_KEYS : DEVICE_CONF_KEYS.filter((key) => conf[key] !== inherited[key]);
  return keys.map((key) => [`net.ipv4.conf.${name}.${key}`, conf[key]]);
}
