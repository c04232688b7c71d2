import { describe, expect, it } from "vitest";
import {
  IP_CT_ESTABLISHED,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_NEW,
  IP_CT_RELATED,
  IP_CT_RELATED_REPLY,
  IP_CT_UNTRACKED,
  IPS_ASSURED,
  IPS_CONFIRMED,
  IPS_DST_NAT,
  IPS_SRC_NAT,
} from "../../../../src/linux/netfilter/conntrack/entry.ts";
import { addAddress, addIpPort, addNetwork, newIpset } from "../../../../src/linux/netfilter/rules/ipset.ts";
import {
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_UDP,
  TCPOPT_MSS,
  TCPOPT_TIMESTAMP,
  TCPOPTS_SYN,
} from "../../../../src/packet/packet.ts";
import { ip, makeSkb, matches, type PacketFields, RuleBench, TestHost } from "./harness.ts";

type Case = readonly [rule: string, fields: PacketFields, expected: boolean];

const tcp: PacketFields = {};
const udp: PacketFields = { packet: { protocol: IPPROTO_UDP, dport: 53 } };
const icmp = (icmpType: number, icmpCode = 0): PacketFields => ({
  packet: { protocol: IPPROTO_ICMP, icmpType, icmpCode, sport: 0, dport: 0 },
});
const laterFragment: PacketFields = { packet: { fragOffset: 1480 } };
const tracked = (ctinfo: number, status = 0): PacketFields => ({ ctinfo, ct: { status } });

function table(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    it.each(cases)("%s | %j → %s", (rule, fields, expected) => {
      expect(matches(rule, fields)).toBe(expected);
    });
  });
}

table("the IP header and the devices", [
  ["-s 192.168.1.2", tcp, true],
  ["! -s 192.168.1.2", tcp, false],
  ["-s 192.168.0.0/16 -d 10.0.0.0/8", tcp, true],
  ["-s 192.168.0.0/255.255.0.255", tcp, false],
  ["-s 192.0.1.0/255.0.255.0", tcp, true],
  ["! -d 10.0.0.0/8", tcp, false],
  ["! -d 0.0.0.0/0", tcp, false],
  ["-d 255.255.255.255", { dst: "255.255.255.255" }, true],
  ["-p udp", tcp, false],
  ["! -p udp", tcp, true],
  ["-p all", tcp, true],
  ["-i veth+", { in: "veth1" }, true],
  ["-i veth+", { in: "eth0" }, false],
  ["-i veth", { in: "veth1" }, false],
  ["! -i eth0", { in: "eth0" }, false],
  ["! -i eth0", {}, true],
  ["-o eth0", {}, false],
  ["-f", tcp, false],
  ["-f", laterFragment, true],
  ["! -f", laterFragment, false],
  ["-f", { packet: { mf: 1 } }, false],
]);

table("ports and flags", [
  ["-p tcp --dport 80", tcp, true],
  ["-p tcp ! --dport 80", tcp, false],
  ["-p tcp --dport 79:81 --sport 1024:", tcp, true],
  ["-p tcp --dport 81:", tcp, false],
  ["-p tcp --dport 80", laterFragment, false],
  ["-p tcp --syn", tcp, true],
  ["-p tcp ! --syn", tcp, false],
  ["-p tcp --syn", { packet: { tcpFlags: 0x12 } }, false],
  ["-p tcp --tcp-flags ALL NONE", { packet: { tcpFlags: 0 } }, true],
  ["-p tcp ! --tcp-flags SYN,ACK SYN", { packet: { tcpFlags: 0x12 } }, true],
  ["-p tcp --tcp-option 2", { packet: { tcpOptions: TCPOPT_MSS } }, true],
  ["-p tcp --tcp-option 2", { packet: { tcpOptions: TCPOPT_TIMESTAMP } }, false],
  ["-p tcp ! --tcp-option 2", { packet: { tcpOptions: 0 } }, true],
  ["-p tcp --tcp-option 1", { packet: { tcpOptions: TCPOPTS_SYN } }, true],
  ["-p tcp --tcp-option 1", { packet: { tcpOptions: TCPOPT_MSS } }, false],
  ["-p tcp --tcp-option 8", { packet: { tcpOptions: TCPOPT_TIMESTAMP } }, true],
  ["-p udp --dport 53", udp, true],
  ["-p udp ! --sport 40000", udp, false],
  ["-p sctp --dport 80", { packet: { protocol: IPPROTO_SCTP } }, true],
  ["-p tcp -m multiport --dports 22,80", tcp, true],
  ["-p tcp -m multiport ! --dports 22,80", tcp, false],
  ["-p tcp -m multiport --dports 22,79:90", tcp, true],
  ["-p tcp -m multiport --sports 22,80", tcp, false],
  ["-p tcp -m multiport --ports 40000", tcp, true],
  ["-p tcp -m multiport ! --ports 1", laterFragment, false],
  ["-p icmp --icmp-type echo-request", icmp(8), true],
  ["-p icmp ! --icmp-type 8", icmp(8), false],
  ["-p icmp --icmp-type 3/4", icmp(3, 4), true],
  ["-p icmp --icmp-type 3/4", icmp(3, 3), false],
  ["-p icmp --icmp-type 3", icmp(3, 3), true],
  ["-p icmp --icmp-type any", icmp(42), true],
]);

table("marks, lengths, TTL, TOS, addresses, kinds of packet", [
  ["-m mark --mark 0x4000/0x4000", { mark: 0xc000 }, true],
  ["-m mark ! --mark 0x4000/0x4000", { mark: 0xc000 }, false],
  ["-m mark --mark 0x80000000/0x80000000", { mark: 0x80000001 }, true],
  ["-m mark --mark 1", { mark: 3 }, false],
  ["-m connmark --mark 1", { ct: { mark: 1 } }, true],
  ["-m connmark ! --mark 1", { ct: { mark: 1 } }, false],
  ["-m connmark ! --mark 1", {}, false],
  ["-m length --length 40", tcp, true],
  ["-m length ! --length 41:", tcp, true],
  ["-m length --length 1000:1100", { packet: { payloadLength: 1000 } }, true],
  ["-m ttl --ttl-eq 64", tcp, true],
  ["-m ttl ! --ttl-eq 64", tcp, false],
  ["-m ttl --ttl-lt 64", tcp, false],
  ["-m ttl --ttl-gt 63", tcp, true],
  ["-m dscp --dscp 46", { packet: { tos: 0xb9 } }, true],
  ["-m dscp ! --dscp-class EF", { packet: { tos: 0xb9 } }, false],
  ["-m tos --tos 0x10/0x3f", { packet: { tos: 0xd0 } }, true],
  ["-m tos ! --tos 0x10", { packet: { tos: 0xd0 } }, true],
  ["-m iprange --src-range 192.168.1.1-192.168.1.2", tcp, true],
  ["-m iprange ! --src-range 192.168.1.1-192.168.1.2", tcp, false],
  ["-m iprange --dst-range 10.0.0.3-10.0.0.9", tcp, false],
  ["-m pkttype --pkt-type unicast", tcp, true],
  ["-m pkttype ! --pkt-type broadcast", { pktType: 1 }, false],
  ["-p tcp -m tcpmss --mss 1000:1460", { packet: { tcpOptions: TCPOPT_MSS, mss: 1460 } }, true],
  ["-p tcp -m tcpmss ! --mss 1000:1460", { packet: { tcpOptions: TCPOPT_MSS, mss: 1460 } }, false],
  ["-p tcp -m tcpmss --mss 0:1460", tcp, false],
  ["-m mac --mac-source 02:42:0a:00:00:02", { in: "eth0", packet: { smac: 0x02420a000002 } }, true],
  ["-m mac ! --mac-source 02:42:0a:00:00:02", { in: "eth0", packet: { smac: 0x02420a000002 } }, false],
  ["-m mac ! --mac-source 02:42:0a:00:00:02", { in: "tun0" }, false],
  ["-m comment --comment x", tcp, true],
]);

table("connection tracking", [
  ["-m conntrack --ctstate NEW", tracked(IP_CT_NEW), true],
  ["-m conntrack --ctstate ESTABLISHED", tracked(IP_CT_ESTABLISHED), true],
  ["-m conntrack --ctstate ESTABLISHED", tracked(IP_CT_ESTABLISHED_REPLY), true],
  ["-m conntrack --ctstate RELATED", tracked(IP_CT_RELATED), true],
  ["-m conntrack --ctstate RELATED", tracked(IP_CT_RELATED_REPLY), true],
  ["-m conntrack --ctstate NEW", tracked(IP_CT_ESTABLISHED_REPLY), false],
  ["-m conntrack --ctstate INVALID", {}, true],
  ["-m conntrack --ctstate UNTRACKED", {}, false],
  ["-m conntrack --ctstate UNTRACKED", { ctinfo: IP_CT_UNTRACKED }, true],
  ["-m conntrack --ctstate INVALID", { ctinfo: IP_CT_UNTRACKED }, false],
  ["-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT", {}, true],
  ["-m conntrack --ctstate DNAT", tracked(IP_CT_NEW, IPS_DST_NAT), true],
  ["-m conntrack --ctstate SNAT", tracked(IP_CT_NEW, IPS_DST_NAT), false],
  ["-m conntrack ! --ctstate SNAT", tracked(IP_CT_NEW, IPS_SRC_NAT), false],
  ["-m conntrack --ctstatus ASSURED", tracked(IP_CT_NEW, IPS_ASSURED | IPS_CONFIRMED), true],
  ["-m conntrack ! --ctstatus CONFIRMED", tracked(IP_CT_NEW, IPS_ASSURED), true],
  ["-m conntrack ! --ctstatus CONFIRMED", {}, false],
  ["-m conntrack --ctstatus NONE", tracked(IP_CT_NEW, 0), false],
  ["-m conntrack ! --ctstatus NONE", tracked(IP_CT_NEW, IPS_ASSURED), true],
  ["-m conntrack --ctproto 6", tracked(IP_CT_NEW), true],
  ["-m conntrack ! --ctproto 6", tracked(IP_CT_NEW), false],
  ["-m conntrack --ctproto 6", {}, false],
  ["-m conntrack --ctorigsrc 192.168.1.0/24 --ctorigdst 10.0.0.2", tracked(IP_CT_NEW), true],
  ["-m conntrack ! --ctorigdst 10.0.0.2", tracked(IP_CT_NEW), false],
  ["-m conntrack --ctreplsrc 172.17.0.2", { ctinfo: 0, reply: { src: 0xac110002 } }, true],
  ["-m conntrack --ctrepldst 10.0.0.0/8", tracked(IP_CT_NEW), false],
  ["-m conntrack --ctproto 6 --ctorigdstport 80:90", tracked(IP_CT_NEW), true],
  ["-m conntrack --ctproto 6 ! --ctreplsrcport 80", tracked(IP_CT_NEW), false],
  ["-m conntrack --ctdir ORIGINAL", tracked(IP_CT_NEW), true],
  ["-m conntrack --ctdir ORIGINAL", tracked(IP_CT_ESTABLISHED_REPLY), false],
  ["-m conntrack --ctdir REPLY", tracked(IP_CT_RELATED_REPLY), true],
  ["-m conntrack --ctexpire 10", { ct: { expiresUs: 10_999_999 } }, true],
  ["-m conntrack --ctexpire 11:20", { ct: { expiresUs: 10_999_999 } }, false],
  ["-m conntrack ! --ctexpire 11:20", { ct: { expiresUs: 10_999_999 } }, true],
  ["-m state --state NEW,ESTABLISHED", tracked(IP_CT_NEW), true],
  ["-m state ! --state NEW", tracked(IP_CT_NEW), false],
  ["-m state --state INVALID", {}, true],
  ["-m state --state UNTRACKED", { ctinfo: IP_CT_UNTRACKED }, true],
]);

table("kinds of addresses, ports of a bridge, owners", [
  ["-m addrtype --dst-type LOCAL", { dst: "10.0.0.1" }, true],
  ["-m addrtype ! --dst-type LOCAL", { dst: "10.0.0.1" }, false],
  ["-m addrtype --src-type UNICAST --dst-type BROADCAST,MULTICAST", { dst: "224.0.0.1" }, true],
  ["-m addrtype --src-type LOCAL ! --dst-type LOCAL", { src: "10.0.0.1" }, true],
  ["-m addrtype --dst-type LOCAL --limit-iface-in", { dst: "10.0.0.1", in: "eth0" }, true],
  ["-m addrtype --dst-type LOCAL --limit-iface-in", { dst: "10.0.0.1", in: "eth1" }, false],
  ["-m addrtype --dst-type LOCAL --limit-iface-out", { dst: "10.0.0.1", out: "eth1" }, false],
  ["-m physdev --physdev-in veth+", { physIn: "veth1" }, true],
  ["-m physdev ! --physdev-in veth+", { physIn: "veth1" }, false],
  ["-m physdev --physdev-in veth1", {}, false],
  ["-m physdev ! --physdev-in veth1", {}, true],
  ["-m physdev --physdev-out veth2", { physIn: "veth1" }, false],
  ["-m physdev ! --physdev-out veth2", { physIn: "veth1" }, false],
  ["-m physdev --physdev-is-bridged", { physIn: "veth1", physOut: "veth2" }, true],
  ["-m physdev ! --physdev-is-bridged", { physIn: "veth1" }, true],
  ["-m physdev --physdev-is-in ! --physdev-is-out", { physIn: "veth1" }, true],
  ["-m physdev --physdev-is-in", {}, false],
  ["-m owner --uid-owner 0", { origin: "socket" }, true],
  ["-m owner ! --uid-owner 0", { origin: "socket" }, false],
  ["-m owner ! --uid-owner 1000", { origin: "reset" }, true],
  ["-m owner --socket-exists", { origin: "icmp-error" }, false],
]);

describe("statistic", () => {
  const hits = (rule: string, packets: number): string => {
    const bench = new RuleBench("filter", [`-A FORWARD ${rule}`]);
    return Array.from({ length: packets }, () =>
      bench.send("FORWARD", makeSkb()).matched.length === 2 ? "x" : ".",
    ).join("");
  };
  it.each([
    ["-m statistic --mode nth --every 3 --packet 0", "x..x..x"],
    ["-m statistic --mode nth --every 3 --packet 2", "..x..x."],
    ["-m statistic --mode nth ! --every 3 --packet 0", ".xx.xx."],
    ["-m statistic --mode nth --every 1 --packet 0", "xxxxxxx"],
    ["-m statistic --mode random --probability 1", "xxxxxxx"],
    ["-m statistic --mode random --probability 0", "......."],
    ["-m statistic --mode random ! --probability 0", "xxxxxxx"],
    ["-m limit --limit 1/second --limit-burst 3", "xxx...."],
    ["-m limit", "xxxxx.."],
    ["-m quota --quota 100", "xx....."],
    ["-m quota ! --quota 100", "..xxxxx"],
  ])("%s: %s", (rule, expected) => {
    expect(hits(rule, expected.length)).toBe(expected);
  });

  it("takes a branch as often as its probability says", () => {
    const count = hits("-m statistic --mode random --probability 0.25", 20_000).split("x").length - 1;
    expect(Math.abs(count - 5000)).toBeLessThan(300);
  });
});

describe("limit refills with the virtual clock", () => {
  it("gives one packet a second after the burst", () => {
    const bench = new RuleBench("filter", ["-A FORWARD -m limit --limit 1/second --limit-burst 2"]);
    const at = (seconds: number): boolean => {
      bench.host.clock.nowUs = seconds * 1_000_000;
      return bench.send("FORWARD", makeSkb()).matched.length === 2;
    };
    expect([0, 0, 0, 0.9, 1, 1, 10, 10, 10].map(at)).toEqual([
      true,
      true,
      false,
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });
});

describe("recent", () => {
  const second = 1_000_000;
  it("remembers who was set, for the seconds that are asked for", () => {
    const bench = new RuleBench("filter", [
      "-A INPUT -m recent --name A --set",
      "-A FORWARD -m recent --name A --rcheck --seconds 10 --reap -j ACCEPT",
      "-A FORWARD -m recent --name A --rcheck -j DROP",
    ]);
    const seen = (src: string, atSeconds: number): string => {
      bench.host.clock.nowUs = atSeconds * second;
      return bench.send("FORWARD", makeSkb({ src })).matched[0]!;
    };
    bench.send("INPUT", makeSkb({ src: "1.1.1.1" }));
    expect(seen("1.1.1.1", 10)).toBe("FORWARD 1 accept");
    expect(seen("2.2.2.2", 10)).toBe("FORWARD policy accept");
    // Too old: the first rule reaps it, so that the second finds nothing
    expect(seen("1.1.1.1", 11)).toBe("FORWARD policy accept");
  });

  it("counts hits, and --update makes each a new one", () => {
    const bench = new RuleBench("filter", [
      "-A INPUT -m recent --set --rsource",
      "-A FORWARD -m recent --update --seconds 60 --hitcount 3 -j DROP",
    ]);
    const forward = (): number => bench.send("FORWARD", makeSkb()).verdict;
    bench.send("INPUT", makeSkb());
    bench.send("INPUT", makeSkb());
    expect(forward()).toBe(1);
    bench.send("INPUT", makeSkb());
    expect(forward()).toBe(0);
    bench.host.clock.nowUs = 59 * second;
    expect(forward()).toBe(0);
    bench.host.clock.nowUs = 118 * second;
    expect(forward()).toBe(1);
  });

  it.each([
    ["--rcheck --rdest", { src: "9.9.9.9", dst: "1.1.1.1" }, true],
    ["--rcheck", { src: "9.9.9.9", dst: "1.1.1.1" }, false],
    ["! --rcheck", { src: "9.9.9.9" }, true],
    ["! --rcheck", { src: "1.1.1.1" }, false],
    ["--remove", { src: "1.1.1.1" }, true],
    ["--remove", { src: "9.9.9.9" }, false],
    ["--rcheck --rttl", { src: "1.1.1.1" }, true],
    ["--rcheck --rttl", { src: "1.1.1.1", packet: { ttl: 63 } }, false],
  ] as const)("%s | %j → %s", (rule, fields, expected) => {
    const bench = new RuleBench("filter", [
      "-A INPUT -m recent --set",
      `-A FORWARD -m recent ${rule} -j DROP`,
    ]);
    bench.send("INPUT", makeSkb({ src: "1.1.1.1" }));
    expect(bench.send("FORWARD", makeSkb(fields)).verdict === 0).toBe(expected);
  });

  it("sees a routed packet's TTL as it came in", () => {
    const bench = new RuleBench("filter", [
      "-A INPUT -m recent --set",
      "-A FORWARD -m recent --rcheck --rttl -j DROP",
    ]);
    bench.send("INPUT", makeSkb({ src: "1.1.1.1" }));
    const fields = { src: "1.1.1.1", packet: { ttl: 63 }, out: "eth0", inputIfindex: 3 };
    expect(bench.send("FORWARD", makeSkb(fields), fields).verdict).toBe(0);
  });

  it("keeps a hundred addresses, the least recently seen goes", () => {
    const bench = new RuleBench("filter", [
      "-A INPUT -m recent --set",
      "-A FORWARD -m recent --rcheck -j DROP",
    ]);
    for (let i = 0; i <= 100; i++) bench.send("INPUT", makeSkb({ packet: { src: 1000 + i } }));
    const known = (n: number): boolean =>
      bench.send("FORWARD", makeSkb({ packet: { src: n } })).verdict === 0;
    expect([1000, 1001, 1100].map(known)).toEqual([false, true, true]);
  });
});

describe("set, nfacct, rpfilter", () => {
  it("asks the namespace's sets", () => {
    const bench = new RuleBench("filter", [
      "-A FORWARD -m set --match-set hosts src -j DROP",
      "-A FORWARD -m set --match-set nets dst -j DROP",
      "-A FORWARD -m set --match-set services dst,dst -j DROP",
      "-A FORWARD -m set ! --match-set nowhere src -m set ! --match-set hosts dst",
    ]);
    const hosts = newIpset("hosts", "hash:ip");
    addAddress(hosts, ip("1.1.1.1"));
    const nets = newIpset("nets", "hash:net");
    addNetwork(nets, { address: ip("10.1.0.0"), mask: 0xffff0000 });
    const services = newIpset("services", "hash:ip,port");
    addIpPort(services, ip("10.2.0.1"), 6, 80);
    for (const set of [hosts, nets, services]) bench.state.sets.set(set.name, set);
    const first = (src: string, dst: string, dport = 80): string =>
      bench.send("FORWARD", makeSkb({ src, dst, packet: { dport } })).matched[0]!;
    expect(first("1.1.1.1", "9.9.9.9")).toBe("FORWARD 1 drop");
    expect(first("2.2.2.2", "10.1.200.3")).toBe("FORWARD 2 drop");
    expect(first("2.2.2.2", "10.2.0.1")).toBe("FORWARD 3 drop");
    expect(first("2.2.2.2", "10.2.0.1", 81)).toBe("FORWARD 4 continue");
    expect(first("2.2.2.2", "1.1.1.1")).toBe("FORWARD policy accept");
  });

  it("counts what comes as far as the counter", () => {
    const bench = new RuleBench("filter", ["-A FORWARD -p tcp --dport 80 -m nfacct --nfacct-name web"]);
    bench.send("FORWARD", makeSkb());
    bench.send("FORWARD", makeSkb({ packet: { dport: 81 } }));
    expect(bench.state.accounting("web")).toEqual({ packets: 1, bytes: 40 });
  });

  it.each([
    ["-m rpfilter", true, "1.1.1.1", true],
    ["-m rpfilter", false, "1.1.1.1", false],
    ["-m rpfilter --invert", false, "1.1.1.1", true],
    ["-m rpfilter", true, "10.0.0.1", false],
    ["-m rpfilter --accept-local", true, "10.0.0.1", true],
    ["-m rpfilter", true, "224.0.0.1", false],
  ])("%s with a reverse path: %s, from %s → %s", (rule, reverse, src, expected) => {
    const host = new TestHost();
    host.reverse = reverse;
    expect(matches(rule, { src, in: "eth0" }, host)).toBe(expected);
  });
});
