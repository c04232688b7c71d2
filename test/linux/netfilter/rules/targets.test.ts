import { describe, expect, it } from "vitest";
import { IP_CT_NEW, IP_CT_UNTRACKED } from "../../../../src/linux/netfilter/conntrack/entry.ts";
import {
  WALK_ACCEPT,
  WALK_DROP,
  WALK_NAT,
  WALK_REJECT,
} from "../../../../src/linux/netfilter/rules/verdict.ts";
import {
  ICMP_DEST_UNREACH,
  IPPROTO_ICMP,
  IPPROTO_UDP,
  Packet,
  TCPOPT_MSS,
} from "../../../../src/packet/packet.ts";
import { ip, makeSkb, RuleBench, TestHost } from "./harness.ts";

const mangled = (target: string, fields: Parameters<typeof makeSkb>[0] = {}, host?: TestHost) => {
  const bench = new RuleBench("mangle", [`-A FORWARD -p tcp ${target}`], host);
  const skb = makeSkb(fields);
  const { verdict } = bench.send("FORWARD", skb, fields);
  return { skb, verdict };
};

describe("MARK and CONNMARK", () => {
  it.each([
    ["-j MARK --set-mark 0x1", 0xf0, 0x1],
    ["-j MARK --set-xmark 0x4000/0x4000", 0x8000, 0xc000],
    ["-j MARK --set-xmark 0x4000/0x0", 0xc000, 0x8000],
    ["-j MARK --or-mark 0x80000000", 0x1, 0x80000001],
    ["-j MARK --and-mark 0xff", 0x1ff, 0xff],
    ["-j MARK --xor-mark 0x3", 0x1, 0x2],
    ["-j MARK --set-mark 0x1/0x3", 0xff, 0xfd],
  ])("%s: 0x%x becomes 0x%x", (target, before, after) => {
    expect(mangled(target, { mark: before }).skb.mark).toBe(after);
  });

  it.each([
    ["-j CONNMARK --set-mark 0x10", 1, 2, 1, 0x10],
    ["-j CONNMARK --set-xmark 0x1/0xf", 0, 0xff, 0, 0xf1],
    ["-j CONNMARK --save-mark", 5, 2, 5, 5],
    ["-j CONNMARK --restore-mark", 5, 2, 2, 2],
    ["-j CONNMARK --save-mark --nfmask 0xf --ctmask 0xff", 0x35, 0x722, 0x35, 0x705],
    ["-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xf", 0x735, 0x22, 0x702, 0x22],
  ])("%s: packet %i, connection %i", (target, mark, ctMark, markAfter, ctAfter) => {
    const { skb } = mangled(target, { mark, ctinfo: IP_CT_NEW, ct: { mark: ctMark } });
    expect([skb.mark, skb.ct?.mark]).toEqual([markAfter, ctAfter]);
  });

  it("leaves a packet without connection alone", () => {
    expect(mangled("-j CONNMARK --restore-mark", { mark: 7 }).skb.mark).toBe(7);
  });
});

describe("NOTRACK and CT --notrack", () => {
  it.each(["-j NOTRACK", "-j CT --notrack"])("%s", (target) => {
    const bench = new RuleBench("raw", [`-A PREROUTING ${target}`]);
    const fresh = makeSkb();
    bench.send("PREROUTING", fresh);
    expect(fresh.ctinfo).toBe(IP_CT_UNTRACKED);
    const tracked = makeSkb({ ctinfo: IP_CT_NEW, ct: {} });
    bench.send("PREROUTING", tracked);
    expect(tracked.ctinfo).toBe(IP_CT_NEW);
  });
});

describe("targets that write headers", () => {
  it.each([
    ["-j TTL --ttl-set 5", { ttl: 64 }, { ttl: 5 }],
    ["-j TTL --ttl-inc 200", { ttl: 64 }, { ttl: 255 }],
    ["-j TTL --ttl-dec 70", { ttl: 64 }, { ttl: 0 }],
    ["-j DSCP --set-dscp-class EF", { tos: 3 }, { tos: 0xbb }],
    ["-j TOS --set-tos 0x10", { tos: 0xff }, { tos: 0x10 }],
    ["-j TOS --or-tos 0x10", { tos: 0x21 }, { tos: 0x31 }],
    ["-j TOS --and-tos 0x0f", { tos: 0xff }, { tos: 0x0f }],
    ["-j TOS --xor-tos 0x01", { tos: 0x01 }, { tos: 0x00 }],
    ["--syn -j TCPMSS --set-mss 1400", { tcpOptions: TCPOPT_MSS, mss: 1460 }, { mss: 1400 }],
    ["--syn -j TCPMSS --set-mss 1400", { tcpOptions: TCPOPT_MSS, mss: 1300 }, { mss: 1300 }],
    ["--syn -j TCPMSS --set-mss 1400", { tcpOptions: 0, mss: 0 }, { tcpOptions: TCPOPT_MSS, mss: 536 }],
    ["--syn -j TCPMSS --set-mss 1400", { tcpOptions: 0, payloadLength: 1 }, { tcpOptions: 0 }],
    ["--syn -j TCPMSS --clamp-mss-to-pmtu", { tcpOptions: TCPOPT_MSS, mss: 1460 }, { mss: 1432 }],
  ])("%s: %j becomes %j", (target, before, after) => {
    const host = new TestHost();
    host.mtu = 1472;
    const { skb } = mangled(target, { packet: before }, host);
    expect(skb.packet).toMatchObject(after);
  });

  it("clamps to the way back too, and drops where no path is that narrow", () => {
    const host = new TestHost();
    host.reverseMtu = 1000;
    const syn = { packet: { tcpOptions: TCPOPT_MSS, mss: 1460 } };
    expect(mangled("--syn -j TCPMSS --clamp-mss-to-pmtu", syn, host).skb.packet.mss).toBe(960);
    host.mtu = 40;
    expect(mangled("--syn -j TCPMSS --clamp-mss-to-pmtu", syn, host).verdict).toBe(WALK_DROP);
  });
});

describe("targets that decide", () => {
  const rejects = [
    ["", "icmp-port-unreachable"],
    ["--reject-with icmp-net-unreachable", "icmp-net-unreachable"],
    ["--reject-with host-prohib", "icmp-host-prohibited"],
    ["--reject-with tcp-reset", "tcp-reset"],
  ] as const;
  it.each(rejects)("REJECT %s", (options, kind) => {
    const bench = new RuleBench("filter", [`-A FORWARD -p tcp -j REJECT ${options}`]);
    const { verdict, matched } = bench.send("FORWARD", makeSkb());
    expect([verdict, bench.state.reject?.with, matched]).toEqual([WALK_REJECT, kind, ["FORWARD 1 drop"]]);
    bench.send("INPUT", makeSkb());
    expect(bench.state.reject).toBeNull();
  });

  const flags = { random: false, randomFully: false, persistent: false };
  const range = (min: string, max = min) => ({ min: ip(min), max: ip(max) });
  it.each([
    [
      "PREROUTING",
      "-j DNAT --to-destination 1.2.3.4",
      { type: "DNAT", addresses: range("1.2.3.4"), ports: null, portBase: null, ...flags },
    ],
    [
      "PREROUTING",
      "-j DNAT --to-destination 1.2.3.4-1.2.3.9:80-90/8000 --random --persistent",
      {
        type: "DNAT",
        addresses: range("1.2.3.4", "1.2.3.9"),
        ports: { min: 80, max: 90 },
        portBase: 8000,
        random: true,
        randomFully: false,
        persistent: true,
      },
    ],
    [
      "PREROUTING",
      "-j DNAT --to-destination :81",
      { type: "DNAT", addresses: null, ports: { min: 81, max: 81 }, portBase: null, ...flags },
    ],
    [
      "POSTROUTING",
      "-j SNAT --to-source 1.2.3.4:5 --random-fully",
      {
        type: "SNAT",
        addresses: range("1.2.3.4"),
        ports: { min: 5, max: 5 },
        portBase: null,
        ...flags,
        randomFully: true,
      },
    ],
    [
      "POSTROUTING",
      "-j MASQUERADE --to-ports 1024-2047",
      { type: "MASQUERADE", ports: { min: 1024, max: 2047 }, random: false, randomFully: false },
    ],
    [
      "PREROUTING",
      "-j REDIRECT --to-ports 8080 --random",
      { type: "REDIRECT", ports: { min: 8080, max: 8080 }, random: true },
    ],
    [
      "PREROUTING",
      "-j NETMAP --to 10.9.0.0/16",
      { type: "NETMAP", address: ip("10.9.0.0"), mask: 0xffff0000 },
    ],
  ] as const)("%s %s", (hook, target, expected) => {
    const bench = new RuleBench("nat", [`-A ${hook} -p tcp ${target}`]);
    const { verdict, matched } = bench.send(hook, makeSkb());
    expect([verdict, matched]).toEqual([WALK_NAT, [`${hook} 1 accept`]]);
    expect(bench.state.natTarget).toEqual(expected);
  });
});

describe("LOG writes the kernel's line and goes on", () => {
  const line = (options: string, fields: Parameters<typeof makeSkb>[0]): string => {
    const bench = new RuleBench("filter", [`-A FORWARD -j LOG ${options}`]);
    const { verdict, matched } = bench.send("FORWARD", makeSkb(fields), fields);
    expect([verdict, matched[0]]).toEqual([WALK_ACCEPT, "FORWARD 1 continue"]);
    return bench.host.logged.join("|");
  };
  const quoted = Object.assign(new Packet(), {
    protocol: IPPROTO_UDP,
    src: ip("10.0.0.2"),
    dst: ip("1.1.1.1"),
    sport: 53,
    dport: 9,
  });
  it.each([
    [
      '--log-prefix "drop: "',
      {
        in: "eth0",
        out: "tun0",
        packet: { smac: 0x0242c0a86036, dmac: 0x0242c0a86001, df: 1, id: 7, window: 64240 },
      },
      "drop: IN=eth0 OUT=tun0 MAC=02:42:c0:a8:60:01:02:42:c0:a8:60:36:08:00 SRC=192.168.1.2 DST=10.0.0.2 LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=7 DF PROTO=TCP SPT=40000 DPT=80 WINDOW=64240 RES=0x00 SYN URGP=0 ",
    ],
    [
      "",
      { out: "eth0", mark: 0x4000, packet: { protocol: IPPROTO_UDP, payloadLength: 10 } },
      "IN= OUT=eth0 SRC=192.168.1.2 DST=10.0.0.2 LEN=38 TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=UDP SPT=40000 DPT=80 LEN=18 MARK=0x4000 ",
    ],
    [
      "",
      {
        in: "br0",
        physIn: "veth1",
        packet: {
          protocol: IPPROTO_ICMP,
          icmpType: ICMP_DEST_UNREACH,
          icmpCode: 4,
          icmpInfo: 1472,
          inner: quoted,
          payloadLength: 28,
        },
      },
      "IN=br0 OUT= PHYSIN=veth1 MAC=00:00:00:00:00:00:00:00:00:00:00:00:08:00 SRC=192.168.1.2 DST=10.0.0.2 LEN=56 TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=ICMP TYPE=3 CODE=4 [SRC=10.0.0.2 DST=1.1.1.1 LEN=28 TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=UDP SPT=53 DPT=9 LEN=8 ] MTU=1472 ",
    ],
    [
      "",
      { in: "tun0", packet: { fragOffset: 1480, payloadLength: 100 } },
      "IN=tun0 OUT= MAC= SRC=192.168.1.2 DST=10.0.0.2 LEN=120 TOS=0x00 PREC=0x00 TTL=64 ID=0 FRAG:185 PROTO=TCP ",
    ],
  ])("%s %#", (options, fields, expected) => {
    expect(line(options, fields)).toBe(expected);
  });
});
