import { describe, expect, it } from "vitest";
import { kubeletRules } from "../../../src/cluster/kubelet/iptables.ts";
import { restoreInput } from "../../../src/cluster/node-rules/command.ts";
import { Network } from "../../../src/linux/network.ts";
import { hasIptables, realSave, rulesOf, VARIANTS } from "../node-rules/real-iptables.ts";

const VERSIONS = ["1.32", "1.7"] as const;

function saved(
  version: (typeof VERSIONS)[number],
  marks?: { masqueradeBit: number; dropBit: number },
): string {
  const netns = new Network().addNetns("node");
  netns.netfilter.load(restoreInput(kubeletRules(version, marks)), { noflush: true });
  return netns.netfilter.save();
}

const linesOf = (save: string): string[] => save.split("\n").filter((line) => /^(\*|-|:KUBE)/.test(line));

describe("kubelet's rules", () => {
  it("of 1.7 mark for dropping and masquerading, and act on it", () => {
    expect(linesOf(saved("1.7"))).toEqual([
      "*nat",
      ":KUBE-MARK-DROP - [0:0]",
      ":KUBE-MARK-MASQ - [0:0]",
      ":KUBE-POSTROUTING - [0:0]",
      '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
      "-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000",
      "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
      '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -m mark --mark 0x4000/0x4000 -j MASQUERADE',
      "*filter",
      ":KUBE-FIREWALL - [0:0]",
      "-A INPUT -j KUBE-FIREWALL",
      "-A OUTPUT -j KUBE-FIREWALL",
      '-A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets" -m mark --mark 0x8000/0x8000 -j DROP',
    ]);
  });

  it("of 1.32 are the guard of 127.0.0.0/8, the hint and the canaries", () => {
    expect(linesOf(saved("1.32"))).toEqual([
      "*mangle",
      ":KUBE-IPTABLES-HINT - [0:0]",
      ":KUBE-KUBELET-CANARY - [0:0]",
      "*nat",
      ":KUBE-KUBELET-CANARY - [0:0]",
      "*filter",
      ":KUBE-FIREWALL - [0:0]",
      ":KUBE-KUBELET-CANARY - [0:0]",
      "-A INPUT -j KUBE-FIREWALL",
      "-A OUTPUT -j KUBE-FIREWALL",
      '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
    ]);
  });

  it("take their bits from the configuration", () => {
    const save = saved("1.7", { masqueradeBit: 0, dropBit: 31 });
    expect(save).toContain("--set-xmark 0x1/0x1");
    expect(save).toContain("--mark 0x80000000/0x80000000");
  });
});

describe.skipIf(!hasIptables)("the real iptables", () => {
  it.each(VARIANTS.flatMap((variant) => VERSIONS.map((version) => [variant, version] as const)))(
    "%s makes the same of %s's commands",
    (variant, version) => {
      expect(rulesOf(realSave(variant, [restoreInput(kubeletRules(version))]))).toEqual(
        rulesOf(saved(version)),
      );
    },
  );
});
