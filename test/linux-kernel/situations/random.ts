import fc from "fast-check";
import { bridged, routed } from "../../linux/networks.ts";
import { frame, ping, tcp, udp } from "../../linux/packets.ts";
import type { Situation, Step } from "../step.ts";

/**
 * Random rules, settings and packets on the two networks. Left out is what depends on the moment or on chance: limits
 * of errors and redirects, ports chosen at random.
 */
const CALM = {
  "net.ipv4.icmp_ratelimit": 0,
  "net.ipv4.conf.all.send_redirects": 0,
  "net.ipv4.conf.default.send_redirects": 0,
};
const VIPS = ["10.96.0.1", "10.96.0.2"];

interface Network {
  readonly name: "routed" | "bridged";
  readonly node: string;
  readonly devices: readonly string[];
  readonly hosts: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
  /** Host device, its MAC, and the MACs that it may send to. */
  readonly taps: readonly { readonly at: string; readonly mac: string; readonly to: readonly string[] }[];
}

const ROUTED: Network = {
  name: "routed",
  node: "r",
  devices: ["c0", "s0", "lo"],
  hosts: { c: "10.0.0.1", s: "10.0.1.1", r: "10.0.0.254" },
  addresses: ["10.0.0.1", "10.0.1.1", "10.0.0.254", "10.0.1.254"],
  taps: [
    { at: "c:eth0", mac: "1", to: ["2", "*"] },
    { at: "s:eth0", mac: "4", to: ["3", "*"] },
  ],
};
const BRIDGED: Network = {
  name: "bridged",
  node: "n",
  devices: ["br0", "wan", "lo"],
  hosts: { a: "10.0.0.1", b: "10.0.0.2", o: "10.0.9.1", n: "10.0.0.254" },
  addresses: ["10.0.0.1", "10.0.0.2", "10.0.0.254", "10.0.9.254", "10.0.9.1"],
  taps: [
    { at: "a:eth0", mac: "1", to: ["3", "1:1", "*", "9:9", "1", "4"] },
    { at: "b:eth0", mac: "3", to: ["1", "1:1", "*"] },
    { at: "o:eth0", mac: "6", to: ["5", "*"] },
  ],
};

const protocol = fc.constantFrom("", "-p udp ", "-p tcp ", "-p icmp ");
const one = (words: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...words);

function condition(net: Network, into: boolean, out: boolean): fc.Arbitrary<string> {
  const part = (arbitrary: fc.Arbitrary<string>) =>
    fc.oneof({ weight: 3, arbitrary: fc.constant("") }, { weight: 1, arbitrary });
  const anywhere = [...net.addresses, ...VIPS].map((a) => `${a}/32`).concat("10.0.0.0/24", "10.96.0.0/16");
  return fc
    .tuple(
      part(one(anywhere).map((a) => `-s ${a} `)),
      part(one(anywhere).map((a) => `-d ${a} `)),
      into ? part(one(net.devices).map((d) => `-i ${d} `)) : fc.constant(""),
      out ? part(one(net.devices).map((d) => `-o ${d} `)) : fc.constant(""),
      part(
        fc
          .tuple(
            one(["-m addrtype --dst-type", "-m addrtype --src-type"]),
            one(["LOCAL", "UNICAST", "BROADCAST"]),
          )
          .map((w) => `${w.join(" ")} `),
      ),
      part(
        one(["NEW", "ESTABLISHED", "RELATED", "INVALID", "DNAT", "SNAT"]).map(
          (s) => `-m conntrack --ctstate ${s} `,
        ),
      ),
    )
    .map((words) => words.join(""));
}

function filterRule(net: Network): fc.Arbitrary<string> {
  const verdict = one([
    "ACCEPT",
    "ACCEPT",
    "DROP",
    "REJECT --reject-with icmp-port-unreachable",
    "REJECT --reject-with icmp-host-prohibited",
    "tcp-reset",
  ]);
  return one(["INPUT", "FORWARD", "OUTPUT"]).chain((chain) =>
    fc
      .tuple(condition(net, chain !== "OUTPUT", chain !== "INPUT"), protocol, verdict)
      .map(([words, p, target]) =>
        target === "tcp-reset"
          ? `-A ${chain} ${words}-p tcp -j REJECT --reject-with tcp-reset`
          : `-A ${chain} ${words}${p}-j ${target}`,
      ),
  );
}

function natRule(net: Network): fc.Arbitrary<string> {
  const to = one([...net.addresses, "10.0.0.77", "10.55.0.1"]);
  const dnat = fc
    .tuple(
      one(["PREROUTING", "OUTPUT"]),
      condition(net, false, false),
      fc.constantFrom("udp", "tcp"),
      to,
      fc.constantFrom("", ":9", ":53"),
    )
    .map(
      ([chain, words, p, address, port]) =>
        `-A ${chain} ${words}-p ${p} -j DNAT --to-destination ${address}${port}`,
    );
  const redirect = fc
    .tuple(one(["PREROUTING", "OUTPUT"]), condition(net, false, false))
    .map(([chain, words]) => `-A ${chain} ${words}-p udp -j REDIRECT --to-ports 53`);
  const snat = fc
    .tuple(
      condition(net, false, true),
      protocol,
      one(["MASQUERADE", "MASQUERADE", ...net.addresses.slice(2).map((a) => `SNAT --to-source ${a}`)]),
    )
    .map(([words, p, target]) => `-A POSTROUTING ${words}${p}-j ${target}`);
  return fc.oneof(
    { weight: 3, arbitrary: dnat },
    { weight: 1, arbitrary: redirect },
    { weight: 3, arbitrary: snat },
  );
}

/** Of two servers that hear a broadcast either may answer first. */
const answered = (destination: string, port: number): number => (destination.endsWith(".255") ? 9 : port);

/** Every packet has a port or identifier of its own, so that nothing needs another one. */
function step(net: Network): fc.Arbitrary<(i: number) => Step> {
  const anywhere = one([...net.addresses, ...VIPS, "10.0.0.255", "10.0.0.77", "127.0.0.1"]);
  const fields = fc.record({
    ttl: fc.constantFrom(64, 64, 64, 2, 1),
    df: fc.constantFrom(0, 1),
    tos: fc.constantFrom(0, 0, 0x10),
  });
  const make = fc
    .tuple(
      fc.constantFrom("udp", "tcp", "ping"),
      anywhere,
      fc.constantFrom(9, 53, 80),
      fields,
      fc.constantFrom("S", "A", "R", "SA"),
    )
    .map(([kind, dst, anyPort, more, flags]) => (src: string, i: number) => {
      const port = answered(dst, anyPort);
      if (kind === "ping") return ping(src, dst, { ...more, icmpId: 100 + i });
      const from = `${src}:${20_000 + i}`;
      return kind === "udp"
        ? udp(from, `${dst}:${port}`, 10, more)
        : tcp(from, `${dst}:${port}`, flags, { ...more, seq: 100, ack: 200 });
    });
  const host = one(Object.keys(net.hosts));
  const sent = fc.tuple(host, make).map(
    ([h, p]) =>
      (i: number): Step => ({ do: "send", in: h, packet: p(net.hosts[h]!, i) }),
  );
  const injected = fc
    .tuple(
      fc.constantFrom(...net.taps),
      fc.nat({ max: 5 }),
      make,
      one([...net.addresses, "10.77.0.1", "127.0.0.1"]),
    )
    .map(
      ([tap, to, p, src]) =>
        (i: number): Step => ({
          do: "inject",
          at: tap.at,
          packet: frame(p(src, i), tap.mac, tap.to[to % tap.to.length]!),
        }),
    );
  const datagram = fc.tuple(host, anywhere, fc.constantFrom(9, 53)).map(
    ([h, dst, anyPort]) =>
      (i: number): Step => ({
        do: "udp",
        in: h,
        from: `0.0.0.0:${20_000 + i}`,
        to: `${dst}:${answered(dst, anyPort)}`,
        bytes: 5,
      }),
  );
  const connection = fc.tuple(host, anywhere, fc.constantFrom(80, 81)).map(
    ([h, dst, port]) =>
      (i: number): Step => ({ do: "connect", in: h, from: `0.0.0.0:${20_000 + i}`, to: `${dst}:${port}` }),
  );
  return fc.oneof(sent, injected, datagram, connection);
}

function situation(net: Network): fc.Arbitrary<Omit<Situation, "name">> {
  const sysctl = fc.record({
    "net.ipv4.ip_forward": fc.constantFrom(1, 1, 1, 0),
    "net.ipv4.conf.all.rp_filter": fc.constantFrom(0, 0, 1, 2),
    "net.ipv4.conf.all.route_localnet": fc.constantFrom(0, 0, 1),
    "net.ipv4.conf.all.accept_local": fc.constantFrom(0, 0, 1),
    ...(net.name === "bridged" ? { "net.bridge.bridge-nf-call-iptables": fc.constantFrom(1, 1, 0) } : {}),
  });
  return fc
    .record({
      sysctl,
      nat: fc.array(natRule(net), { maxLength: 4 }),
      filter: fc.array(filterRule(net), { maxLength: 4 }),
      hairpin: fc.boolean(),
      steps: fc.array(step(net), { minLength: 8, maxLength: 14 }),
    })
    .map(({ sysctl: values, nat, filter, hairpin, steps }) => {
      const node = { sysctl: { ...CALM, ...values }, rules: { nat, filter } };
      const host = { sysctl: CALM };
      const plan =
        net.name === "routed"
          ? routed({ c: host, s: host, r: node })
          : bridged({
              a: host,
              b: host,
              o: host,
              n: { ...node, ...(hairpin ? { hairpin: ["p1", "p2"] } : {}) },
            });
      const servers = Object.keys(net.hosts).flatMap((h): Step[] => [
        { do: "serve", in: h, protocol: "udp", at: "0.0.0.0:53", bytes: 6 },
        { do: "serve", in: h, protocol: "tcp", at: "0.0.0.0:80" },
      ]);
      return { plan, inspect: [net.node], steps: [...servers, ...steps.map((make, i) => make(i))] };
    });
}

/** So many situations of a seed. */
export const randomSituations = (seed: number, count: number): Situation[] =>
  [ROUTED, BRIDGED].flatMap((net) =>
    fc
      .sample(situation(net), { seed, numRuns: count })
      .map((made, i) => ({ name: `${net.name}, seed ${seed}, number ${i + 1}`, ...made })),
  );
