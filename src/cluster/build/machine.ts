import type { NetDevice } from "../../linux/device/device.ts";
import { Nic } from "../../linux/device/segment.ts";
import { addAddress, addRoute, setLinkUp } from "../../linux/ip/address.ts";
import type { Netns } from "../../linux/netns.ts";
import type { Listener } from "../../linux/socket/socket-table.ts";
import { broadcastOf } from "../../packet/address.ts";
import { toBlock, toNumber } from "../objects/address.ts";
import type { ListenPort, NicModel, PortRange, RouteModel } from "../objects/model.ts";
import { randomMac } from "./identity.ts";
import { attempt, type Refusals } from "./refusals.ts";

/** Settings of a machine or a pod. */
export interface SysctlModel {
  readonly sysctl: Readonly<Record<string, number>>;
  readonly localPortRange: PortRange | null;
}

/** `sysctl -w` of every setting, in the order given. */
export function applySysctls(netns: Netns, { sysctl, localPortRange }: SysctlModel): void {
  for (const [name, value] of Object.entries(sysctl)) netns.sysctl.set(name, value);
  if (localPortRange !== null) netns.sysctl.localPortRange = [localPortRange.first, localPortRange.last];
}

/** The address of a machine's NIC, decided by the names of both. */
export const nicMac = (machine: string, nic: string): number => randomMac(`${machine}/${nic}`);

/**
 * A machine's NIC, up, with its addresses as a distribution's network scripts set them: `ip addr add A/N brd +`.
 */
export function addNic(netns: Netns, { name, mtu, segment, addresses }: NicModel): Nic {
  const nic = new Nic(netns, name, nicMac(netns.name, name), mtu, netns.network.segments.get(segment)!);
  for (const text of addresses) {
    const { address, length } = toBlock(text);
    const broadcast = length < 31 ? broadcastOf(address, length) : null;
    addAddress(nic, { local: address, prefixLength: length, broadcast });
  }
  setLinkUp(nic, true);
  return nic;
}

/** `ip route add default via GATEWAY`, if there is one. */
export function addDefaultRoute(
  netns: Netns,
  gateway: string | null,
  refusals: Refusals,
  dev: NetDevice | null = null,
): void {
  if (gateway === null) return;
  attempt(refusals, `${netns.name}: ip route add default via ${gateway}`, () =>
    addRoute(netns, { destination: 0, prefixLength: 0, gateway: toNumber(gateway), dev }),
  );
}

/** `ip route add TO via VIA` for each. */
export function addRoutes(netns: Netns, routes: readonly RouteModel[], refusals: Refusals): void {
  for (const { to, via } of routes) {
    const { base, length } = toBlock(to);
    attempt(refusals, `${netns.name}: ip route add ${to} via ${via}`, () =>
      addRoute(netns, { destination: base, prefixLength: length, gateway: toNumber(via) }),
    );
  }
}

/** A process begins to listen, on all addresses unless one is given; a port that is taken is refused: null. */
export function listen(
  netns: Netns,
  { port, protocol }: ListenPort,
  owner: string | null,
  refusals: Refusals,
  address = 0,
): Listener | null {
  const options = { protocol: PROTOCOL_NAMES[protocol], port, address, owner };
  return attempt(refusals, owner ?? netns.name, () => netns.sockets.listen(options));
}

/** Kubernetes' names of the protocols in iptables' and the sockets' words. */
export const PROTOCOL_NAMES = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const;
