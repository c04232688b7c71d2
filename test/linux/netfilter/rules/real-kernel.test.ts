import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { IP_CT_NEW } from "../../../../src/linux/netfilter/conntrack/entry.ts";
import { IPPROTO_UDP } from "../../../../src/packet/packet.ts";
import { realIptables, VARIANTS, type Variant } from "../iptables-save/real-iptables.ts";
import { makeSkb, RuleBench } from "./harness.ts";

const PACKETS = 7;

/** Which of seven datagrams of ten bytes, each of a new socket, sent over lo the last rule of OUTPUT matched in the kernel. */
function inKernel(variant: Variant, rules: readonly string[]): string {
  const script = [
    "ip link set lo up",
    ...rules.map((rule) => `iptables-${variant} -A OUTPUT -p udp ${rule}`),
    `for i in ${Array.from({ length: PACKETS }, (_, i) => i).join(" ")}; do`,
    "  echo -n 0123456789 > /dev/udp/127.0.0.1/9",
    `  iptables-${variant}-save -c -t filter | grep OUTPUT | tail -1`,
    "done",
  ].join("\n");
  const run = spawnSync("unshare", ["-n", "bash", "-c", script], { encoding: "utf8" });
  const counts = run.stdout.match(/^\[\d+/gm)?.map((text) => Number(text.slice(1))) ?? [];
  if (counts.length !== PACKETS) throw new Error(`no counters: ${run.stderr}`);
  return counts.map((n, i) => (n > (counts[i - 1] ?? 0) ? "x" : ".")).join("");
}

function here(rules: readonly string[]): string {
  const bench = new RuleBench(
    "filter",
    rules.map((rule) => `-A OUTPUT -p udp ${rule}`),
  );
  const fields = { out: "lo" };
  return Array.from({ length: PACKETS }, (_, i) => {
    const packet = { protocol: IPPROTO_UDP, sport: 40000 + i, dport: 9, payloadLength: 10, df: 1 };
    const skb = makeSkb({ src: "127.0.0.1", dst: "127.0.0.1", packet, ctinfo: IP_CT_NEW, ct: {} });
    const { matched } = bench.send("OUTPUT", skb, fields);
    return matched.some((text) => text.startsWith(`OUTPUT ${rules.length} `)) ? "x" : ".";
  }).join("");
}

const CASES: readonly (readonly string[])[] = [
  ["-m statistic --mode nth --every 3 --packet 0"],
  ["-m statistic --mode nth --every 3 --packet 2"],
  ["-m statistic --mode nth ! --every 3 --packet 1"],
  ["-m limit --limit 1/hour --limit-burst 3"],
  ["-m limit"],
  ["-m quota --quota 100"],
  ["-m quota ! --quota 100"],
  ["-m conntrack --ctstatus NONE"],
  ["-m conntrack ! --ctstatus NONE"],
  ["-m conntrack --ctstatus CONFIRMED"],
  ["-m conntrack --ctstate NEW --ctdir ORIGINAL --ctproto udp --ctorigdstport 9 ! --ctreplsrcport 10"],
  ["-m conntrack ! --ctstate ESTABLISHED,DNAT"],
  ["-m recent --set"],
  ["-m recent --rcheck"],
  ["-m recent ! --rcheck"],
  ["-m recent --name Z --set", "-m recent --name Z --update --hitcount 3"],
  ["-m recent --name Z --set", "-m recent --name Z --rcheck --hitcount 7 --seconds 100"],
  ["-m recent --name Z --set", "-m recent --name Z --remove --rdest"],
  ["-m recent --name Z --remove", "-m recent --name Z ! --update", "-m recent --name Z --set"],
  ["-m addrtype --dst-type LOCAL --limit-iface-out"],
  ["-m addrtype ! --src-type UNICAST --dst-type LOCAL,BROADCAST"],
  ["-m owner --uid-owner 0"],
  ["-m owner ! --socket-exists"],
  ["-m physdev ! --physdev-in veth0"],
  ["-m length --length 38"],
  ["-m ttl --ttl-gt 63"],
  ["-m pkttype --pkt-type unicast"],
  ["-j MARK --set-mark 0x3", "-m mark --mark 0x1/0x1"],
  ["-j CONNMARK --set-mark 0x5", "-m connmark ! --mark 0x4/0x6"],
  ["-m statistic --mode nth --every 2 --packet 0 -j RETURN", "-m length --length 0:100"],
];

describe.skipIf(!realIptables())(
  "the kernel matches the same packets (skipped without root and iptables)",
  () => {
    it.each(VARIANTS.flatMap((variant) => CASES.map((rules) => [variant, rules] as const)))(
      "%s %j",
      (variant, rules) => {
        expect(here(rules)).toBe(inKernel(variant, rules));
      },
    );
  },
);
