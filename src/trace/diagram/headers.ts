import type { PacketRecord } from "../packet-record.ts";

/** One header of a packet. */
export interface Layer {
  readonly name: string;
  readonly fields: readonly Field[];
  /** Only in {@link changedLayers}: the packet had no such header before. */
  readonly added: boolean;
}

export interface Field {
  readonly name: string;
  readonly value: string;
  /** What it was before, where that differs; otherwise null. */
  readonly before: string | null;
}

const IPV4_HEADER = 20;
const UDP_HEADER = 8;
/** A VXLAN header and the inner frame's Ethernet header. */
const VXLAN_OVERHEAD = 8 + 14;

/** The headers of a packet from the outside in; without Ethernet where there is none, as on a TUN device. */
export function layersOf(packet: PacketRecord, ethernet: boolean): Layer[] {
  const layers: Layer[] = [];
  if (ethernet)
    layers.push(
      layer("Ethernet", [
        ["from", packet.sourceMac],
        ["to", packet.destinationMac],
      ]),
    );
  if (packet.protocol === "arp")
    return [...layers, layer("ARP", [["", packet.summary.replace(/^arp /, "")]])];
  layers.push(
    layer("IPv4", [
      ["from", addressOf(packet.source)],
      ["to", addressOf(packet.destination)],
      ["ttl", String(packet.ttl)],
      ["id", String(packet.id)],
      ["length", String(packet.length)],
      ...(packet.dontFragment ? [["DF", "set"] as const] : []),
    ]),
    transportLayer(packet),
  );
  const { inner } = packet;
  if (inner === undefined) return layers;
  if (packet.protocol === "icmp") return [...layers, ...layersOf(inner, false).map(quoted)];
  const isVxlan = packet.length - IPV4_HEADER - UDP_HEADER - inner.length === VXLAN_OVERHEAD;
  if (isVxlan) layers.push(layer("VXLAN", []));
  return [...layers, ...layersOf(inner, isVxlan)];
}

/**
 * The headers of a packet, with what each field was before. Headers are set side by side from the innermost outwards,
 * since tunnels put theirs around what is there.
 */
export function changedLayers(before: readonly Layer[], after: readonly Layer[]): Layer[] {
  const shift = before.length - after.length;
  return after.map((one, i) => {
    const old = before[i + shift];
    if (old === undefined || old.name !== one.name) return { ...one, added: true };
    const fields = one.fields.map((field) => {
      const was = old.fields.find(({ name }) => name === field.name)?.value ?? null;
      return { ...field, before: was === field.value ? null : was };
    });
    return { ...one, fields };
  });
}

const quoted = (one: Layer): Layer => ({ ...one, name: `quoted ${one.name}` });

function transportLayer({ protocol, source, destination, summary, length }: PacketRecord): Layer {
  const ports: [string, string][] =
    portOf(source) === null
      ? []
      : [
          ["from port", portOf(source)!],
          ["to port", portOf(destination)!],
        ];
  const fragment = / frag@(\d+\+?)/.exec(summary)?.[1];
  const detail: [string, string][] = [];
  if (fragment !== undefined) detail.push(["fragment at", fragment]);
  const flags = / \[([A-Z]+|none)\]/.exec(summary)?.[1];
  if (protocol === "tcp" && flags !== undefined) detail.push(["flags", flags]);
  const type = / type (\d+\/\d+)/.exec(summary)?.[1];
  if (protocol === "icmp" && type !== undefined) detail.push(["type/code", type]);
  const mtu = / mtu (\d+)$/.exec(summary)?.[1];
  if (protocol === "icmp" && mtu !== undefined) detail.push(["MTU", mtu]);
  if (protocol === "udp") detail.push(["length", String(length - IPV4_HEADER)]);
  return layer(protocol.toUpperCase(), [...ports, ...detail]);
}

const layer = (name: string, fields: readonly (readonly [string, string])[]): Layer => ({
  name,
  fields: fields.map(([field, value]) => ({ name: field, value, before: null })),
  added: false,
});

const addressOf = (text: string): string => text.split(":")[0]!;
const portOf = (text: string): string | null => text.split(":")[1] ?? null;
