import { IPPROTO_SCTP, IPPROTO_UDP } from "../../../../packet/packet.ts";
import type { Skb } from "../../../skb.ts";
import { refuse, unmodelled } from "../error.ts";
import { type PortRange, parsePortRange, portInRange, printPortRange } from "../number-text.ts";
import { type MatchExtension, option } from "./extension.ts";

export interface PortsMatch {
  readonly sport: PortRange | null;
  readonly dport: PortRange | null;
}

function portsExtension(
  name: string,
  protocol: number,
  unmodelledOptions: Readonly<Record<string, number>>,
): MatchExtension<PortsMatch> {
  return {
    name,
    options: { "source-port": 1, sport: 1, "destination-port": 1, dport: 1, ...unmodelledOptions },
    parse(options, head) {
      const chunks = options.find((o) => Object.hasOwn(unmodelledOptions, o.name));
      if (chunks !== undefined) unmodelled(`${name}: --${chunks.name} is not modelled`);
      if (head.protocol !== protocol || head.protocolNegated) refuse(`${name}: needs "-p ${name}"`);
      const sport = option(options, "sport") ?? option(options, "source-port");
      const dport = option(options, "dport") ?? option(options, "destination-port");
      return {
        sport: sport && parsePortRange(sport.values[0]!, sport.negated, name),
        dport: dport && parsePortRange(dport.values[0]!, dport.negated, name),
      };
    },
    print: (m) => printPortRange("sport", m.sport) + printPortRange("dport", m.dport),
    evaluate: portsMatch,
    newState: null,
    pure: true,
  };
}

function portsMatch(m: PortsMatch, skb: Skb): boolean {
  const p = skb.packet;
  return p.fragOffset === 0 && portInRange(m.sport, p.sport) && portInRange(m.dport, p.dport);
}

/** `-m udp` (net/netfilter/xt_tcpudp.c: udp_mt). */
export const udp = portsExtension("udp", IPPROTO_UDP, {});

/** `-m sctp` (net/netfilter/xt_sctp.c: sctp_mt); the chunks inside a packet are not modelled. */
export const sctp = portsExtension("sctp", IPPROTO_SCTP, { "chunk-types": 2 });
