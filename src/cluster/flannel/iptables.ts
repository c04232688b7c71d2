import { commandsOf, type RuleCommand } from "../node-rules/command.ts";
import { blockText, toBlock } from "../objects/address.ts";

/** What of flannel's configuration decides its rules. */
export interface FlannelRules {
  /** The whole network, and the node's own subnet in it. */
  readonly network: string;
  readonly subnet: string;
  /** `--ip-masq` */
  readonly ipMasq: boolean;
  /** `--iptables-forward-rules` of 0.11; 0.9.1 (22 November 2017) and 0.10 always have them, 0.9.0 and before never. */
  readonly forwardRules: boolean;
}

/**
 * flannel's rules in its order, all appended (network/ipmasq.go of 0.8 and 0.9.0, network/iptables.go since 0.9.1), so
 * they come after what docker and kube-proxy put at the heads of the chains.
 */
export function flannelRules({ network, subnet, ipMasq, forwardRules }: FlannelRules): RuleCommand[] {
  const all = blockText(toBlock(network));
  const own = blockText(toBlock(subnet));
  const masquerade = commandsOf("nat")(
    // within the network nothing is translated
    `-A POSTROUTING -s ${all} -d ${all} -j RETURN`,
    `-A POSTROUTING -s ${all} ! -d 224.0.0.0/4 -j MASQUERADE`,
    // what another node sends on to a pod here keeps its source
    `-A POSTROUTING ! -s ${all} -d ${own} -j RETURN`,
    `-A POSTROUTING ! -s ${all} -d ${all} -j MASQUERADE`,
  );
  // what docker 1.13's policy would not let through
  const forward = commandsOf("filter")(`-A FORWARD -s ${all} -j ACCEPT`, `-A FORWARD -d ${all} -j ACCEPT`);
  return [...(ipMasq ? masquerade : []), ...(forwardRules ? forward : [])];
}
