import type { NetDevice, Scope } from "../../src/linux/device/device.ts";
import { addAddress, addRoute, type NewRoute, setLinkUp } from "../../src/linux/ip/address.ts";
import {
  type RouteType,
  RTN_BLACKHOLE,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_PROHIBIT,
  RTN_UNICAST,
  RTN_UNREACHABLE,
} from "../../src/linux/netfilter/context.ts";
import type { Netns } from "../../src/linux/netns.ts";
import { parseIpv4, parseMac } from "../../src/packet/address.ts";

/**
 * As much of `ip` as the plans of these tests speak: `addr add`, `link set DEV up|down|mtu N`, `route add|del`,
 * `neigh replace|del`. The same words are given to the real `ip` where a plan is compared with the kernel.
 */
export function ip(netns: Netns, command: string): void {
  const words = command.split(" ");
  const object = words.shift()!;
  const verb = words.shift()!;
  const first = words.shift()!;
  const options = pairs(object === "route" && isType(first) ? words.slice(1) : words);
  switch (`${object} ${verb}`) {
    case "addr add":
      addAddress(netns.device(options.get("dev")!), {
        ...cidr(first),
        broadcast: options.has("brd") ? parseIpv4(options.get("brd")!) : null,
        scope: options.has("scope") ? scopeOf(options.get("scope")!) : 0,
      });
      return;
    case "link set":
      if (words[0] === "mtu") netns.device(first).mtu = Number(words[1]);
      else setLinkUp(netns.device(first), words[0] === "up");
      return;
    case "route add":
      addRoute(
        netns,
        routeOf(netns, isType(first) ? first : "unicast", isType(first) ? words[0]! : first, options),
      );
      return;
    case "route del": {
      const { destination, prefixLength } = cidr(first === "default" ? "0.0.0.0/0" : first, true);
      for (const entry of [...netns.fib.entries(254)])
        if (entry.destination === destination && entry.prefixLength === prefixLength) netns.fib.remove(entry);
      return;
    }
    case "neigh replace": {
      const dev = netns.device(options.get("dev")!);
      netns.neighbours.addPermanent(dev, parseIpv4(first), parseMac(options.get("lladdr")!));
      return;
    }
    case "neigh del":
      netns.neighbours.remove(netns.device(options.get("dev")!), parseIpv4(first));
      return;
    default:
      throw new RangeError(`not among the words of ip here: ${command}`);
  }
}

const TYPES: Record<string, RouteType> = {
  unicast: RTN_UNICAST,
  local: RTN_LOCAL,
  broadcast: RTN_BROADCAST,
  blackhole: RTN_BLACKHOLE,
  unreachable: RTN_UNREACHABLE,
  prohibit: RTN_PROHIBIT,
};
const isType = (word: string): boolean => Object.hasOwn(TYPES, word);

function scopeOf(word: string): Scope {
  const scopes: Record<string, Scope> = { global: 0, site: 200, link: 253, host: 254 };
  return scopes[word]!;
}

/** `via A dev B onlink`: words in pairs, `onlink` by itself. */
function pairs(words: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (let i = 0; i < words.length; ) {
    const word = words[i]!;
    if (word === "onlink") {
      options.set(word, "");
      i++;
    } else {
      options.set(word, words[i + 1]!);
      i += 2;
    }
  }
  return options;
}

function cidr(text: string): { local: number; prefixLength: number };
function cidr(text: string, network: true): { destination: number; prefixLength: number };
function cidr(text: string, network = false) {
  const [address, length] = text.split("/");
  const prefixLength = Number(length ?? 32);
  return network
    ? { destination: parseIpv4(address!), prefixLength }
    : { local: parseIpv4(address!), prefixLength };
}

function routeOf(netns: Netns, type: string, to: string, options: ReadonlyMap<string, string>): NewRoute {
  const address = (key: string): number => (options.has(key) ? parseIpv4(options.get(key)!) : 0);
  const dev: NetDevice | null = options.has("dev") ? netns.device(options.get("dev")!) : null;
  return {
    ...cidr(to === "default" ? "0.0.0.0/0" : to, true),
    type: TYPES[type]!,
    gateway: address("via"),
    dev,
    prefsrc: address("src"),
    metric: Number(options.get("metric") ?? 0),
    onlink: options.has("onlink"),
    mtu: Number(options.get("mtu") ?? 0),
    ...(options.has("scope") ? { scope: scopeOf(options.get("scope")!) } : {}),
  };
}
