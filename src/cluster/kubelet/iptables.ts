import { commandsOf, type RuleCommand } from "../node-rules/command.ts";

/** kubelet's `--iptables-masquerade-bit` and `--iptables-drop-bit`: bits of the packet mark. */
export interface KubeletMarks {
  readonly masqueradeBit: number;
  readonly dropBit: number;
}

export const DEFAULT_MARKS: KubeletMarks = { masqueradeBit: 14, dropBit: 15 };

const mangle = commandsOf("mangle");
const nat = commandsOf("nat");
const filter = commandsOf("filter");

const mark = (bit: number): string => `0x${(2 ** bit).toString(16)}`;
const comment = (text: string): string => `-m comment --comment "${text}"`;

/** The rules of kubelet as kube-proxy's release has them. */
export function kubeletRules(version: "1.32" | "1.7", marks: KubeletMarks = DEFAULT_MARKS): RuleCommand[] {
  switch (version) {
    case "1.7":
      return kubeletRules17(marks);
    case "1.32":
      return kubeletRules132();
  }
}

/**
 * 1.7 (pkg/kubelet/kubelet_network.go: syncNetworkUtil): marks for dropping and masquerading and what acts on them.
 * The jumps are put at the heads of their chains. kube-proxy uses KUBE-MARK-DROP and rewrites the other two.
 */
function kubeletRules17({ masqueradeBit, dropBit }: KubeletMarks): RuleCommand[] {
  const drop = `${mark(dropBit)}/${mark(dropBit)}`;
  const masquerade = `${mark(masqueradeBit)}/${mark(masqueradeBit)}`;
  return [
    ...nat("-N KUBE-MARK-DROP", `-A KUBE-MARK-DROP -j MARK --set-xmark ${drop}`),
    ...filter(
      "-N KUBE-FIREWALL",
      `-A KUBE-FIREWALL ${comment("kubernetes firewall for dropping marked packets")} -m mark --mark ${drop} -j DROP`,
      "-I OUTPUT -j KUBE-FIREWALL",
      "-I INPUT -j KUBE-FIREWALL",
    ),
    ...nat(
      "-N KUBE-MARK-MASQ",
      "-N KUBE-POSTROUTING",
      `-A KUBE-MARK-MASQ -j MARK --set-xmark ${masquerade}`,
      `-I POSTROUTING ${comment("kubernetes postrouting rules")} -j KUBE-POSTROUTING`,
      `-A KUBE-POSTROUTING ${comment("kubernetes service traffic requiring SNAT")} -m mark --mark ${masquerade} -j MASQUERADE`,
    ),
  ];
}

/**
 * 1.32 (pkg/kubelet/kubelet_network_linux.go: syncIPTablesRules): marks are kube-proxy's own business by now; kubelet
 * keeps the hint by which others tell legacy from nft, the guard of 127.0.0.0/8, and its canaries.
 */
function kubeletRules132(): RuleCommand[] {
  return [
    ...mangle("-N KUBE-IPTABLES-HINT"),
    ...filter(
      "-N KUBE-FIREWALL",
      "-I OUTPUT -j KUBE-FIREWALL",
      "-I INPUT -j KUBE-FIREWALL",
      `-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 ${comment("block incoming localnet connections")} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
    ),
    ...[mangle, nat, filter].flatMap((table) => table("-N KUBE-KUBELET-CANARY")),
  ];
}
