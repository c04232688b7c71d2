import type { Netns } from "../../linux/netns.ts";
import { formatIpv4, formatMac } from "../../packet/address.ts";

/** What `ip neigh` prints: entries without need of resolution are left out (iproute2 6.1: ip/ipneigh.c, print_neigh). */
export function ipNeigh(netns: Netns): string {
  let text = "";
  for (const neighbour of netns.neighbours.entries()) {
    const { state, dev, address, mac } = neighbour;
    if (state === "NOARP" || state === "NONE") continue;
    const lladdr = neighbour.valid ? ` lladdr ${formatMac(mac)}` : "";
    text += `${formatIpv4(address)} dev ${dev.name}${lladdr} ${state} \n`;
  }
  return text;
}
