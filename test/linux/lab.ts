/**
 * A small network in a few lines: namespaces joined by veth pairs and bridges, from a plan that is data, so that the
 * same plan can be built here and in the real kernel (test/linux-kernel).
 */
import { Bridge } from "../../src/linux/device/bridge.ts";
import type { NetDevice } from "../../src/linux/device/device.ts";
import { addVethPair } from "../../src/linux/device/veth.ts";
import { setLinkUp } from "../../src/linux/ip/address.ts";
import type { Netns } from "../../src/linux/netns.ts";
import { Network } from "../../src/linux/network.ts";
import type { NetworkEvent } from "../../src/linux/recorder.ts";
import { ip } from "./ip-words.ts";

export interface NamespacePlan {
  /** Bridges and their ports, in the order in which they are enslaved. */
  readonly bridges?: Readonly<Record<string, readonly string[]>>;
  /** Ports in hairpin mode. */
  readonly hairpin?: readonly string[];
  readonly mtu?: Readonly<Record<string, number>>;
  /** What follows `ip addr add`, without `dev`: by device. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  /** What follows `ip`, once every device is up. */
  readonly ip?: readonly string[];
  readonly sysctl?: Readonly<Record<string, number>>;
  /** Lines of iptables-save by table, without the `*TABLE` and `COMMIT` around them. */
  readonly rules?: Readonly<Record<string, readonly string[]>>;
}

export interface Plan {
  readonly namespaces: Readonly<Record<string, NamespacePlan>>;
  /** Pairs of `namespace:device`. Their MACs count from 02:00:00:00:00:01 up; bridges' from 02:00:00:00:01:01. */
  readonly veths: readonly (readonly [string, string])[];
}

/** A network built from a plan, with everything that has happened in it. */
export interface Lab {
  readonly network: Network;
  readonly events: NetworkEvent[];
  ns(name: string): Netns;
  /** The device `namespace:name`. */
  dev(at: string): NetDevice;
}

export const endOf = (at: string): { ns: string; dev: string } => {
  const [ns, dev] = at.split(":");
  return { ns: ns!, dev: dev! };
};

/** MACs of a plan's devices, by `namespace:device`. */
export function macsOf(plan: Plan): Map<string, number> {
  const macs = new Map<string, number>();
  let next = 0x020000000001;
  for (const pair of plan.veths) for (const end of pair) macs.set(end, next++);
  next = 0x020000000101;
  for (const [ns, { bridges = {} }] of Object.entries(plan.namespaces))
    for (const name of Object.keys(bridges)) macs.set(`${ns}:${name}`, next++);
  return macs;
}

/** The text that iptables-restore takes for a namespace's rules; empty without rules. */
export const restoreText = ({ rules = {} }: NamespacePlan): string =>
  Object.entries(rules)
    .map(([table, lines]) => [`*${table}`, ...lines, "COMMIT", ""].join("\n"))
    .join("");

export function buildLab(plan: Plan, seed = 1): Lab {
  const network = new Network({ seed });
  const events: NetworkEvent[] = [];
  const macs = macsOf(plan);
  for (const name of Object.keys(plan.namespaces)) network.addNetns(name);
  const end = (at: string) => {
    const { ns, dev } = endOf(at);
    return { netns: network.netns(ns), name: dev, mac: macs.get(at)! };
  };
  for (const [a, b] of plan.veths) addVethPair(end(a), end(b));
  for (const [name, part] of Object.entries(plan.namespaces))
    buildDevices(network.netns(name), name, part, macs);
  for (const [name, part] of Object.entries(plan.namespaces)) configure(network.netns(name), part);
  network.recorder = { record: (event) => void events.push(event) };
  return {
    network,
    events,
    ns: (name) => network.netns(name),
    dev: (at) => network.netns(endOf(at).ns).device(endOf(at).dev),
  };
}

function buildDevices(
  netns: Netns,
  name: string,
  part: NamespacePlan,
  macs: ReadonlyMap<string, number>,
): void {
  for (const [bridgeName, ports] of Object.entries(part.bridges ?? {})) {
    const bridge = new Bridge(netns, bridgeName, macs.get(`${name}:${bridgeName}`)!);
    for (const port of ports)
      bridge.addPort(netns.device(port), { hairpin: part.hairpin?.includes(port) ?? false });
  }
  for (const [dev, mtu] of Object.entries(part.mtu ?? {})) netns.device(dev).mtu = mtu;
}

/** In this order on both sides: settings, links up, addresses, `ip` words, rules. */
function configure(netns: Netns, part: NamespacePlan): void {
  for (const [key, value] of Object.entries(part.sysctl ?? {})) netns.sysctl.set(key, value);
  for (const dev of netns.devices.values()) setLinkUp(dev, true);
  for (const [dev, addresses] of Object.entries(part.addresses ?? {}))
    for (const address of addresses) ip(netns, `addr add ${address} dev ${dev}`);
  for (const command of part.ip ?? []) ip(netns, command);
  const text = restoreText(part);
  if (text !== "") netns.netfilter.load(text);
}
