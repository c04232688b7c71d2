import fc from "fast-check";
import { parseIpv4 } from "../../packet/address.ts";
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, Packet, TCP_SYN, TCPOPTS_SYN } from "../../packet/packet.ts";
import {
  type ClusterSpec,
  CONTAINER_PORT,
  clusterIPOf,
  nodeIPOf,
  nodePortOf,
  podIPOf,
  SERVICE_PORT,
} from "../spec.ts";

/** First packets of flows aimed at what a cluster has: cluster IPs, node ports, pods; and some at nothing at all. */
export function packet(spec: ClusterSpec): fc.Arbitrary<Packet> {
  const addresses = [
    ...spec.services.map((_, i) => clusterIPOf(i)),
    ...Array.from({ length: spec.nodes }, (_, i) => nodeIPOf(i)),
    ...spec.pods.map((_, i) => podIPOf(spec.pods, i)),
    "10.1.96.10",
    "127.0.0.1",
  ].map(parseIpv4);
  const ports = [SERVICE_PORT, CONTAINER_PORT, 53, ...spec.services.map((_, i) => nodePortOf(i))];
  return fc
    .record({
      protocol: fc.constantFrom(IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP),
      src: fc.constantFrom(...addresses),
      dst: fc.constantFrom(...addresses),
      dport: fc.constantFrom(...ports),
      sport: fc.integer({ min: 1024, max: 65535 }),
    })
    .map(({ protocol, src, dst, sport, dport }) => {
      const p = new Packet();
      p.protocol = protocol;
      p.src = src;
      p.dst = dst;
      if (protocol === IPPROTO_ICMP) {
        p.icmpType = 8;
        p.icmpId = sport;
      } else {
        p.sport = sport;
        p.dport = dport;
      }
      if (protocol === IPPROTO_TCP) {
        p.tcpFlags = TCP_SYN;
        p.tcpOptions = TCPOPTS_SYN;
      }
      return p;
    });
}
