import fc from "fast-check";
import type { PacketFields } from "./harness.ts";

/** Few addresses and ports, so that rules and packets meet. */
const ADDRESSES = [
  "10.0.0.1",
  "10.0.0.2",
  "10.0.0.255",
  "10.96.0.1",
  "10.96.0.2",
  "192.168.1.2",
  "192.168.1.3",
];
const PORTS = [53, 80, 443, 30080];
const DEVICES = ["eth0", "veth1", "veth2", "lo"];

const address = fc.constantFrom(...ADDRESSES);
const port = fc.constantFrom(...PORTS);
const device = fc.constantFrom(...DEVICES);
const not = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(fc.integer({ min: 0, max: 5 }), text).map(([n, t]) => (n === 0 ? `! ${t}` : t));
const maybe = (text: fc.Arbitrary<string>, weight = 2): fc.Arbitrary<string> =>
  fc.tuple(fc.integer({ min: 0, max: weight }), text).map(([n, t]) => (n === 0 ? t : ""));
const join = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((texts) => texts.filter((t) => t !== "").join(" "));

const withLength = fc.tuple(address, fc.constantFrom("", "/32", "/24", "/16", "/0")).map(([a, l]) => a + l);
const source = not(withLength.map((a) => `-s ${a}`));
const destination = not(withLength.map((a) => `-d ${a}`));
const devices = fc.oneof(
  not(device.map((d) => `-i ${d}`)),
  not(device.map((d) => `-o ${d}`)),
  fc.constant("-i veth+"),
);

const ports = fc.oneof(
  not(port.map((p) => `--dport ${p}`)),
  port.map((p) => `--dport ${p}`),
  not(port.map((p) => `--sport ${p}:`)),
  fc.constant("--dport 80:443"),
);
const tcp = join(fc.constant("-p tcp -m tcp"), maybe(ports, 1), maybe(fc.constant("--syn"), 5));
const protocol = fc.oneof(
  tcp,
  tcp,
  join(fc.constant("-p udp -m udp"), maybe(ports, 1)),
  fc.constant("-p icmp --icmp-type 8"),
  fc.constant("! -p tcp"),
  fc.constant("-p tcp -m multiport --dports 80,443"),
);

const states = fc
  .uniqueArray(fc.constantFrom("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "DNAT"), {
    minLength: 1,
  })
  .map((words) => `--ctstate ${words.join(",")}`);

/** Matches that change nothing, and some that do. */
const match = fc.oneof(
  not(fc.constantFrom("--mark 0x1/0x1", "--mark 0x4000/0x4000", "--mark 0")).map((m) => `-m mark ${m}`),
  not(states).map((m) => `-m conntrack ${m}`),
  not(fc.constantFrom("--dst-type LOCAL", "--src-type UNICAST", "--dst-type BROADCAST")).map(
    (m) => `-m addrtype ${m}`,
  ),
  not(fc.constantFrom("--probability 0.5", "--probability 0.1")).map(
    (m) => `-m statistic --mode random ${m}`,
  ),
  fc.constantFrom(
    "-m statistic --mode nth --every 3 --packet 1",
    "-m statistic --mode nth --every 2 --packet 0",
    "-m limit --limit 1/second --limit-burst 3",
    "-m quota --quota 400",
    "-m nfacct --nfacct-name seen",
    "-m recent --name L --set",
    "-m recent --name L --rcheck --seconds 5 --reap",
    "-m recent --name L --update --hitcount 3",
    "-m recent ! --rcheck --name M",
    "-m recent --remove --name L --rdest",
    "-m comment --comment x",
    "-m length --length 41:",
  ),
);

const head = join(maybe(source), maybe(destination, 1), maybe(devices, 4), maybe(protocol, 1));
const conditions = join(head, maybe(match, 2), maybe(match, 4));

/** kube-proxy's shape: an exact destination and port, sometimes with more. */
const service = fc
  .tuple(address, fc.constantFrom("tcp", "udp"), port, maybe(match, 4))
  .map(([a, proto, p, m]) => `-d ${a} -p ${proto} -m ${proto} --dport ${p}${m === "" ? "" : ` ${m}`}`);

/** Matches may also come first: then what follows is not "leading" any more. */
const matchFirst = fc
  .tuple(match, port, address)
  .map(([m, p, a]) => `${m} -p tcp -m tcp --dport ${p} -d ${a}`);

const terminal = { filter: ["ACCEPT", "DROP", "REJECT"], mangle: ["ACCEPT", "DROP"] } as const;

export type ArbitraryTable = "filter" | "mangle" | "nat";

const natTargets = fc.constantFrom(
  "-j DNAT --to-destination 10.1.0.1",
  "-j DNAT --to-destination 10.1.0.2",
  "-j REDIRECT",
  "-j ACCEPT",
);

function target(table: ArbitraryTable, chain: number, chains: number): fc.Arbitrary<string> {
  const ends = table === "nat" ? natTargets : fc.constantFrom(...terminal[table]).map((t) => `-j ${t}`);
  const others = fc.constantFrom(
    "-j RETURN",
    "-j MARK --set-xmark 0x4000/0x4000",
    "-j MARK --xor-mark 0x1",
    "",
    "-j CONNMARK --save-mark",
  );
  if (chain + 1 >= chains) return fc.oneof(ends, others);
  const jumps = fc
    .tuple(fc.constantFrom("-j", "-j", "-j", "-g"), fc.integer({ min: chain + 1, max: chains - 1 }))
    .map(([flag, n]) => `${flag} C${n}`);
  return fc.oneof(ends, others, jumps, jumps);
}

/** Rules of one chain; it may jump only to chains with a higher number, so that there is no loop. */
function chainRules(table: ArbitraryTable, chain: number, chains: number): fc.Arbitrary<string[]> {
  const name = chain < 0 ? "OUTPUT" : `C${chain}`;
  const line = fc
    .tuple(fc.oneof(conditions, service, service, matchFirst), target(table, chain, chains))
    .map(([c, t]) => `-A ${name} ${chain < 0 ? c.replace(/-i (?=\S)/, "-o ") : c} ${t}`.trimEnd());
  return fc.oneof(fc.array(line, { maxLength: 4 }), fc.array(line, { minLength: 9, maxLength: 40 }));
}

export interface ArbitraryRules {
  readonly table: ArbitraryTable;
  /** Lines between `*TABLE` and `COMMIT`; the chain of the hook OUTPUT is where packets enter. */
  readonly lines: readonly string[];
}

/** A random table of some chains, loadable as it is. */
export const arbitraryRules: fc.Arbitrary<ArbitraryRules> = fc
  .tuple(
    fc.constantFrom<ArbitraryTable>("filter", "mangle", "nat"),
    fc.integer({ min: 0, max: 4 }),
    fc.boolean(),
  )
  .chain(([table, chains, drops]) =>
    fc
      .tuple(...Array.from({ length: chains + 1 }, (_, i) => chainRules(table, i - 1, chains)))
      .map((rules) => ({
        table,
        lines: [
          `:OUTPUT ${drops && table !== "nat" ? "DROP" : "ACCEPT"} [0:0]`,
          ...Array.from({ length: chains }, (_, i) => `:C${i} - [0:0]`),
          ...rules.flat(),
        ],
      })),
  );

/** A random packet, seldom a fragment, in some state of tracking. */
export const arbitraryPacket: fc.Arbitrary<PacketFields> = fc
  .record({
    src: address,
    dst: address,
    in: device,
    out: device,
    mark: fc.constantFrom(0, 1, 0x4000),
    ctinfo: fc.constantFrom(0, 1, 2, 3, 4, 7),
    tracked: fc.boolean(),
    status: fc.constantFrom(0, 1 << 5, 1 << 3),
    protocol: fc.constantFrom(6, 6, 17, 1),
    sport: port,
    dport: port,
    icmpType: fc.constantFrom(0, 8),
    tcpFlags: fc.constantFrom(2, 16, 18),
    payloadLength: fc.constantFrom(0, 100),
    fragOffset: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 8, 1480),
  })
  .map(({ src, dst, in: input, out, mark, ctinfo, tracked, status, ...packet }) => ({
    src,
    dst,
    in: input,
    out,
    mark,
    packet: packet.protocol === 1 ? { ...packet, sport: 0, dport: 0 } : packet,
    ...(tracked && ctinfo !== 7 ? { ctinfo, ct: { status } } : { ctinfo: ctinfo === 7 ? 7 : 0 }),
  }));
