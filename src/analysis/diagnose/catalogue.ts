import type { Check } from "./check.ts";
import { arpFailed } from "./checks/arp-failed.ts";
import { bridgeNfOff } from "./checks/bridge-nf-off.ts";
import { conntrackFull } from "./checks/conntrack-full.ts";
import { conntrackInvalidRst } from "./checks/conntrack-invalid-rst.ts";
import { doubleMasquerade } from "./checks/double-masquerade.ts";
import { etpLocalNoEndpoint } from "./checks/etp-local-no-endpoint.ts";
import { externalIpHijack } from "./checks/external-ip-hijack.ts";
import { flannelLeaseGone, flannelWrongIface } from "./checks/flannel-lease.ts";
import { forwardDrop } from "./checks/forward-drop.ts";
import { hairpinOff } from "./checks/hairpin-off.ts";
import { ipForwardOff } from "./checks/ip-forward-off.ts";
import { lbHairpin } from "./checks/lb-hairpin.ts";
import { legacyNftMix } from "./checks/legacy-nft-mix.ts";
import { missingMasquerade } from "./checks/missing-masquerade.ts";
import { noEndpoints } from "./checks/no-endpoints.ts";
import { hostportConflict, hostportVsNodeport, nodeportOccupied } from "./checks/port-clash.ts";
import { routeLocalnet } from "./checks/route-localnet.ts";
import { routingLoop } from "./checks/routing-loop.ts";
import { rpFilterStrict } from "./checks/rp-filter-strict.ts";
import { serviceCidrOverlap } from "./checks/service-cidr-overlap.ts";
import { snatPortRace } from "./checks/snat-port-race.ts";
import { snatPortsExhausted } from "./checks/snat-ports-exhausted.ts";
import { sourceLost } from "./checks/source-lost.ts";
import { subnetClash } from "./checks/subnet-clash.ts";
import { targetPortWrong } from "./checks/target-port-wrong.ts";
import { terminatingEndpoints } from "./checks/terminating-endpoints.ts";
import { tunnelMtu } from "./checks/tunnel-mtu.ts";
import { udpPortFiltered, vxlanPortFiltered } from "./checks/tunnel-port-filtered.ts";
import { udpBlackholeAtStart } from "./checks/udp-blackhole-at-start.ts";
import { udpStaleConntrack } from "./checks/udp-stale-conntrack.ts";

/** Everything that is looked for: what stops a node first, then the way between nodes, Services, and what time brings. */
export const CATALOGUE: readonly Check[] = [
  ipForwardOff,
  forwardDrop,
  legacyNftMix,
  rpFilterStrict,
  bridgeNfOff,
  hairpinOff,
  subnetClash,
  flannelWrongIface,
  flannelLeaseGone,
  udpPortFiltered,
  vxlanPortFiltered,
  tunnelMtu,
  missingMasquerade,
  doubleMasquerade,
  serviceCidrOverlap,
  routingLoop,
  noEndpoints,
  targetPortWrong,
  arpFailed,
  etpLocalNoEndpoint,
  sourceLost,
  routeLocalnet,
  nodeportOccupied,
  hostportConflict,
  hostportVsNodeport,
  externalIpHijack,
  lbHairpin,
  udpStaleConntrack,
  udpBlackholeAtStart,
  conntrackInvalidRst,
  conntrackFull,
  snatPortRace,
  snatPortsExhausted,
  terminatingEndpoints,
];
