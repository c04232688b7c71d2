import type { NftTable } from "../../linux/netfilter/nftables/table.ts";
import { applyNft } from "../../linux/netfilter/nftables/transaction.ts";
import type { NftProxier } from "../kube-proxy/nftables/proxier.ts";
import { type NftPortRules, nftPortRules } from "../kube-proxy/nftables/service-port-rules.ts";
import { fullNftSync, nftPortsSync } from "../kube-proxy/nftables/sync.ts";
import { nodePortIPCommands, setupCommands } from "../kube-proxy/nftables/top-level.ts";
import type { ProxyState } from "../kube-proxy/proxy-state.ts";
import { type NodePortRules, portRulesOf, SharedPortRules } from "../kube-proxy/shared-rules.ts";

/** One node's table, and what it was made from. */
interface Made {
  readonly setup: string;
  readonly ports: NodePortRules<NftPortRules>;
  readonly table: NftTable;
}

/**
 * kube-proxy's tables in nftables mode on the nodes of one state of a cluster. The first node's is read from the text that
 * kube-proxy writes; another one's is that with the few Service ports replaced whose rules differ, and shares the rest.
 */
export class SharedNftables {
  private readonly state: ProxyState;
  private shared: SharedPortRules<NftPortRules, NftProxier> | null = null;
  private first: Made | null = null;
  private clashing: boolean | null = null;

  constructor(state: ProxyState) {
    this.state = state;
  }

  /**
   * Do two Service ports want one address and port, so that which of them gets it is a matter of the whole text? Asked
   * when there is a second node.
   */
  private get clashes(): boolean {
    this.clashing ??= haveClashes(this.state);
    return this.clashing;
  }

  tableOf(proxier: NftProxier): NftTable {
    this.shared ??= new SharedPortRules(this.state, nftPortRules);
    const ports = this.shared.of(proxier);
    const perNode = new Set(nodePortIPCommands(proxier));
    const setup = setupCommands(proxier)
      .filter((line) => !perNode.has(line))
      .join("\n");
    const { first } = this;
    if (first !== null && !this.clashes && first.setup === setup && first.ports.common === ports.common) {
      const changed = ports.own.flatMap((rules, i): [NftPortRules, NftPortRules][] =>
        rules === first.ports.own[i] ? [] : [[first.ports.own[i]!, rules]],
      );
      return applyNft(first.table, [...perNode, ...nftPortsSync(changed), ""].join("\n"));
    }
    const table = applyNft(null, fullNftSync(portRulesOf(ports), proxier));
    this.first ??= { setup, ports, table };
    return table;
  }
}

function haveClashes({ servicePorts }: ProxyState): boolean {
  const taken = new Set<string>();
  return servicePorts.some(({ protocol, port, nodePort, clusterIP, externalIPs, loadBalancerVIPs }) => {
    const places = new Set(
      [clusterIP, ...externalIPs, ...loadBalancerVIPs].map((address) => `${address} ${protocol} ${port}`),
    );
    if (nodePort !== 0) places.add(`${protocol} ${nodePort}`);
    return [...places].some((place) => taken.has(place) || taken.add(place) === null);
  });
}
