/** net.ipv4.conf.DEV.*: the settings of one device, of `all`, and of devices to come (`default`). */
export interface DeviceConf {
  forwarding: number;
  rp_filter: number;
  route_localnet: number;
  accept_local: number;
  send_redirects: number;
  accept_redirects: number;
  shared_media: number;
  arp_ignore: number;
  arp_announce: number;
  log_martians: number;
}

export const DEVICE_CONF_KEYS = [
  "forwarding",
  "rp_filter",
  "route_localnet",
  "accept_local",
  "send_redirects",
  "accept_redirects",
  "shared_media",
  "arp_ignore",
  "arp_announce",
  "log_martians",
] as const satisfies readonly (keyof DeviceConf)[];

/** A kernel's own defaults (net/ipv4/devinet.c: ipv4_devconf). */
const kernelDefaults = (): DeviceConf => ({
  forwarding: 0,
  rp_filter: 0,
  route_localnet: 0,
  accept_local: 0,
  send_redirects: 1,
  accept_redirects: 1,
  shared_media: 1,
  arp_ignore: 0,
  arp_announce: 0,
  log_martians: 0,
});

/**
 * Settings that are one number a namespace, with the kernel's defaults. Timeouts are in seconds
 * (net/netfilter/nf_conntrack_proto_tcp.c: tcp_timeouts, …_udp.c, …_icmp.c, …_sctp.c, …_generic.c).
 */
const SCALAR_DEFAULTS = {
  "net.bridge.bridge-nf-call-iptables": 1,
  "net.ipv4.ip_default_ttl": 64,
  "net.ipv4.icmp_ratelimit": 1000,
  "net.ipv4.icmp_ratemask": 6168,
  "net.ipv4.icmp_echo_ignore_all": 0,
  "net.ipv4.icmp_echo_ignore_broadcasts": 1,
  "net.ipv4.icmp_errors_use_inbound_ifaddr": 0,
  "net.ipv4.tcp_synack_retries": 5,
  "net.ipv4.tcp_syn_retries": 6,
  "net.ipv4.ipfrag_time": 30,
  "net.netfilter.nf_conntrack_max": 262144,
  "net.netfilter.nf_conntrack_tcp_be_liberal": 0,
  "net.netfilter.nf_conntrack_tcp_loose": 1,
  "net.netfilter.nf_conntrack_tcp_max_retrans": 3,
  "net.netfilter.nf_conntrack_tcp_ignore_invalid_rst": 0,
  "net.netfilter.nf_conntrack_tcp_timeout_syn_sent": 120,
  "net.netfilter.nf_conntrack_tcp_timeout_syn_recv": 60,
  "net.netfilter.nf_conntrack_tcp_timeout_established": 432000,
  "net.netfilter.nf_conntrack_tcp_timeout_fin_wait": 120,
  "net.netfilter.nf_conntrack_tcp_timeout_close_wait": 60,
  "net.netfilter.nf_conntrack_tcp_timeout_last_ack": 30,
  "net.netfilter.nf_conntrack_tcp_timeout_time_wait": 120,
  "net.netfilter.nf_conntrack_tcp_timeout_close": 10,
  "net.netfilter.nf_conntrack_tcp_timeout_max_retrans": 300,
  "net.netfilter.nf_conntrack_tcp_timeout_unacknowledged": 300,
  "net.netfilter.nf_conntrack_udp_timeout": 30,
  "net.netfilter.nf_conntrack_udp_timeout_stream": 120,
  "net.netfilter.nf_conntrack_icmp_timeout": 30,
  "net.netfilter.nf_conntrack_generic_timeout": 600,
  "net.netfilter.nf_conntrack_sctp_timeout_cookie_wait": 3,
  "net.netfilter.nf_conntrack_sctp_timeout_established": 210,
};
export type ScalarSysctl = keyof typeof SCALAR_DEFAULTS;

/** Every setting that is simulated, apart from the per-device ones. */
export const SCALAR_SYSCTLS = Object.keys(SCALAR_DEFAULTS) as ScalarSysctl[];

const CONF_KEY = /^net\.ipv4\.conf\.(.+)\.([a-z_]+)$/;

/** The settings of one namespace. */
export class Sysctl {
  readonly all: DeviceConf = kernelDefaults();
  readonly default: DeviceConf = kernelDefaults();
  private readonly devices = new Map<string, DeviceConf>();
  /** Settings made for devices that are not there yet: a topology's sysctls may name them. */
  private readonly awaited = new Map<string, Partial<DeviceConf>>();
  readonly scalar: Record<ScalarSysctl, number> = { ...SCALAR_DEFAULTS };
  localPortRange: readonly [number, number] = [32768, 60999];

  /** A device appears: it takes `default`'s values (net/ipv4/devinet.c: inetdev_init). */
  newDevice(name: string): DeviceConf {
    const conf = { ...this.default, ...this.awaited.get(name) };
    this.devices.set(name, conf);
    return conf;
  }

  /**
   * Sets one value by its full name, with the kernel's side effects: `ip_forward` is `conf.all.forwarding` and
   * changes every device and `default` (net/ipv4/devinet.c: inet_forward_change).
   * Throws RangeError for a name that is not simulated.
   */
  set(name: string, value: number): void {
    if (name === "net.ipv4.ip_forward" || name === "net.ipv4.conf.all.forwarding") {
      this.all.forwarding = value;
      // a router does not believe redirects
      this.all.accept_redirects = value === 0 ? 1 : 0;
      this.default.forwarding = value;
      for (const conf of this.devices.values()) conf.forwarding = value;
      return;
    }
    if (Object.hasOwn(SCALAR_DEFAULTS, name)) {
      this.scalar[name as ScalarSysctl] = value;
      return;
    }
    const [, device, key] = CONF_KEY.exec(name) ?? [];
    if (device !== undefined && key !== undefined && isDeviceConfKey(key)) {
      this.setDevice(device, key, value);
      return;
    }
    throw new RangeError(`unknown sysctl ${name}`);
  }

  /** Reads one value by its full name; throws RangeError for a name that is not simulated. */
  get(name: string): number {
    if (name === "net.ipv4.ip_forward") return this.all.forwarding;
    if (Object.hasOwn(SCALAR_DEFAULTS, name)) return this.scalar[name as ScalarSysctl];
    const [, device, key] = CONF_KEY.exec(name) ?? [];
    const conf =
      device === "all" ? this.all : device === "default" ? this.default : this.devices.get(device ?? "");
    if (conf === undefined || key === undefined || !isDeviceConfKey(key))
      throw new RangeError(`unknown sysctl ${name}`);
    return conf[key];
  }

  private setDevice(device: string, key: keyof DeviceConf, value: number): void {
    if (device === "all") this.all[key] = value;
    else if (device === "default") this.default[key] = value;
    else {
      const conf = this.devices.get(device);
      if (conf !== undefined) conf[key] = value;
      else this.awaited.set(device, { ...this.awaited.get(device), [key]: value });
    }
  }

  /** IN_DEV_RPFILTER: the stricter of `all` and the device. */
  rpFilter(conf: DeviceConf): number {
    return Math.max(this.all.rp_filter, conf.rp_filter);
  }

  /** IN_DEV_ROUTE_LOCALNET */
  routeLocalnet(conf: DeviceConf): boolean {
    return (this.all.route_localnet | conf.route_localnet) !== 0;
  }

  /** IN_DEV_ACCEPT_LOCAL */
  acceptLocal(conf: DeviceConf): boolean {
    return (this.all.accept_local | conf.accept_local) !== 0;
  }

  /** IN_DEV_TX_REDIRECTS */
  txRedirects(conf: DeviceConf): boolean {
    return (this.all.send_redirects | conf.send_redirects) !== 0;
  }

  /** IN_DEV_RX_REDIRECTS: a router needs both settings, a host one (include/linux/inetdevice.h). */
  rxRedirects(conf: DeviceConf): boolean {
    return conf.forwarding !== 0
      ? (this.all.accept_redirects & conf.accept_redirects) !== 0
      : (this.all.accept_redirects | conf.accept_redirects) !== 0;
  }
}

const isDeviceConfKey = (key: string): key is keyof DeviceConf =>
  (DEVICE_CONF_KEYS as readonly string[]).includes(key);
