import type { NamespacePlan, Plan } from "./lab.ts";

type Part = Partial<NamespacePlan>;

const FORWARDING = { "net.ipv4.ip_forward": 1 };

/** A part of a plan with more in it. */
function extend(part: NamespacePlan, more: Part = {}): NamespacePlan {
  return {
    ...part,
    ...more,
    addresses: { ...part.addresses, ...more.addresses },
    sysctl: { ...part.sysctl, ...more.sysctl },
    ip: [...(part.ip ?? []), ...(more.ip ?? [])],
  };
}

/**
 *   c 10.0.0.1 ── 10.0.0.254 r 10.0.1.254 ── s 10.0.1.1        MACs: c 1, r 2 and 3, s 4
 */
export function routed(more: { c?: Part; r?: Part; s?: Part } = {}): Plan {
  return {
    veths: [
      ["c:eth0", "r:c0"],
      ["r:s0", "s:eth0"],
    ],
    namespaces: {
      c: extend({ addresses: { eth0: ["10.0.0.1/24"] }, ip: ["route add default via 10.0.0.254"] }, more.c),
      r: extend({ addresses: { c0: ["10.0.0.254/24"], s0: ["10.0.1.254/24"] }, sysctl: FORWARDING }, more.r),
      s: extend({ addresses: { eth0: ["10.0.1.1/24"] }, ip: ["route add default via 10.0.1.254"] }, more.s),
    },
  };
}

/**
 *   a 10.0.0.1 ─ p1 ┐
 *                   br0 10.0.0.254  n  10.0.9.254 ── o 10.0.9.1     MACs: a 1, p1 2, b 3, p2 4, wan 5, o 6, br0 1:1
 *   b 10.0.0.2 ─ p2 ┘
 */
export function bridged(more: { a?: Part; b?: Part; n?: Part; o?: Part } = {}): Plan {
  const pod = (address: string): NamespacePlan => ({
    addresses: { eth0: [address] },
    ip: ["route add default via 10.0.0.254"],
  });
  return {
    veths: [
      ["a:eth0", "n:p1"],
      ["b:eth0", "n:p2"],
      ["n:wan", "o:eth0"],
    ],
    namespaces: {
      a: extend(pod("10.0.0.1/24"), more.a),
      b: extend(pod("10.0.0.2/24"), more.b),
      n: extend(
        {
          bridges: { br0: ["p1", "p2"] },
          addresses: { br0: ["10.0.0.254/24"], wan: ["10.0.9.254/24"] },
          sysctl: { ...FORWARDING, "net.bridge.bridge-nf-call-iptables": 1 },
        },
        more.n,
      ),
      o: extend({ addresses: { eth0: ["10.0.9.1/24"] }, ip: ["route add default via 10.0.9.254"] }, more.o),
    },
  };
}
