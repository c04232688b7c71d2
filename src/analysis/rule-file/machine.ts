import type { Chooser } from "../../linux/chooser.ts";
import { NetDevice } from "../../linux/device/device.ts";
import { addAddress, addRoute, setLinkUp } from "../../linux/ip/address.ts";
import { addressType } from "../../linux/ip/route-output.ts";
import { RTN_LOCAL } from "../../linux/netfilter/context.ts";
import type { RuleSet } from "../../linux/netfilter/rules/rule-set.ts";
import type { Netns } from "../../linux/netns.ts";
import { Network } from "../../linux/network.ts";
import { prepareConntrack } from "./connection.ts";
import type { LocalAddress, RuleFileRequest } from "./request.ts";

/** What a device is called that nobody named: no rule can mean it. */
const UNNAMED_DEVICE = "?";

/**
 * The machine's address when nobody tells one (192.0.2.1, RFC 5737): it has some, or MASQUERADE and REDIRECT would drop
 * what they could not translate.
 */
export const STAND_IN_ADDRESS = 0xc0000201;

/** A device that swallows what leaves by it: beyond it there is nothing. */
class EndDevice extends NetDevice {
  readonly kind = "nic";

  constructor(netns: Netns, name: string) {
    super(netns, name, 0, 1500);
    this.noarp = true;
  }

  transmit(): void {}
}

/** A machine of which only the rules, two devices and some addresses are known. */
export interface Machine {
  readonly netns: Netns;
  /** Null for a packet that is made here. */
  readonly in: NetDevice | null;
  /** By which everything leaves that is not for the machine itself. */
  readonly out: NetDevice;
}

/** Sets up a namespace with the rules and the devices and addresses that the request tells of. */
export function buildMachine(ruleSet: RuleSet, request: RuleFileRequest, chooser: Chooser): Machine {
  const network = new Network({ chooser });
  const netns = network.addNetns("file");
  netns.sysctl.set("net.ipv4.ip_forward", 1);
  netns.sysctl.set("net.ipv4.conf.all.route_localnet", 1);
  const device = (name: string): NetDevice => {
    const existing = netns.devices.get(name);
    if (existing !== undefined) return existing;
    const made = new EndDevice(netns, name);
    setLinkUp(made, true);
    return made;
  };
  const incoming = request.inDevice === null ? null : device(request.inDevice);
  const out = device(request.outDevice ?? UNNAMED_DEVICE);
  const place = (address: LocalAddress): void =>
    addAddress(address.device === null ? (incoming ?? out) : device(address.device), {
      local: address.address,
      prefixLength: address.prefixLength,
    });
  request.localAddresses.forEach(place);
  if (request.localAddresses.length === 0)
    place({ address: STAND_IN_ADDRESS, prefixLength: 32, device: null });
  const { source } = request;
  // who sends from here has the address it sends from
  if (incoming === null && addressType(netns, source, null) !== RTN_LOCAL)
    place({ address: source, prefixLength: 32, device: null });
  addRoute(netns, { destination: 0, prefixLength: 0, dev: out });
  // the way back to the sender, for a rule that answers
  if (incoming !== null && addressType(netns, source, null) !== RTN_LOCAL)
    addRoute(netns, { destination: source, prefixLength: 32, dev: incoming });
  prepareConntrack(netns, request, () => netns.netfilter.install(ruleSet));
  return { netns, in: incoming, out };
}
