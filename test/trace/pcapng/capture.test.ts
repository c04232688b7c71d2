import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { SimulatedCluster } from "../../../src/cluster/build/cluster.ts";
import { nameOf, namespaceOf } from "../../../src/cluster/objects/store.ts";
import type { TraceEvent } from "../../../src/trace/event.ts";
import type { PacketRecord } from "../../../src/trace/packet-record.ts";
import { Capture, captureWhile } from "../../../src/trace/pcapng/capture.ts";
import type { TraceRequest } from "../../../src/trace/request.ts";
import { send } from "../../../src/trace/send.ts";
import { hasTshark, readWithTshark, type TsharkPacket } from "../../packet/tshark.ts";
import { clusterOf, topologyText } from "../cluster.ts";

const TOPOLOGIES = ["topologies", "topologies/failures"].flatMap((folder) =>
  readdirSync(new URL(`../../../${folder}/`, import.meta.url))
    .filter((name) => name.endsWith(".yaml") && !name.endsWith(".mended.yaml"))
    .map((name) => `${folder.slice("topologies".length)}/${name}`.replace(/^\//, "").replace(/\.yaml$/, "")),
);

const FIELDS = [
  "frame.interface_name",
  "frame.interface_description",
  "frame.packet_flags_direction",
  "frame.time_epoch",
  "frame.comment",
  "ip.src",
  "ip.dst",
  "ip.ttl",
  "tcp.srcport",
  "tcp.dstport",
  "udp.srcport",
  "udp.dstport",
  "eth.src",
  "arp.src.proto_ipv4",
  "arp.dst.proto_ipv4",
  "ip.checksum.status",
  "tcp.checksum.status",
  "udp.checksum.status",
  "icmp.checksum.status",
  "sctp.checksum.status",
  "_ws.malformed",
] as const;

/** Bad: 0 (Wireshark's proto_checksum_vals). */
const BAD_CHECKSUM = "0";

/** What people ask of a cluster: every kind of source to every kind of target, by every protocol. */
function requests({ model }: SimulatedCluster): TraceRequest[] {
  const pods = model.pods.filter(({ hostNetwork }) => !hostNetwork);
  const froms = [pods[0], pods.at(-1)].flatMap((pod) =>
    pod === undefined ? [] : [`pod/${pod.namespace}/${pod.name}`],
  );
  if (model.hosts[0] !== undefined) froms.push(`host/${model.hosts[0].name}`);
  if (model.nodes[0] !== undefined) froms.push(`node/${model.nodes[0].name}`);
  const service = model.services.find(({ spec }) => spec?.clusterIP !== "None" && spec?.ports?.length);
  const tos: TraceRequest[] = [];
  if (service !== undefined)
    tos.push({
      from: "",
      to: `svc/${namespaceOf(service)}/${nameOf(service)}:${service.spec!.ports![0]!.port}`,
    });
  const last = pods.at(-1);
  if (last !== undefined) {
    const to = `pod/${last.namespace}/${last.name}`;
    tos.push({ from: "", to, protocol: "icmp", size: 3000 });
    tos.push({ from: "", to, protocol: "icmp", ttl: 2 });
    tos.push({ from: "", to: `${to}:9999`, protocol: "udp", size: 1480 });
    tos.push({ from: "", to: `${to}:9999`, protocol: "tcp" });
  }
  const host = model.hosts.at(-1);
  if (host !== undefined) tos.push({ from: "", to: `host/${host.name}`, protocol: "icmp" });
  return [...new Set(froms)].flatMap((from) => tos.map((rest) => ({ ...rest, from })));
}

/** The addresses of a packet from the outermost header inwards, as tshark lists them. */
function addresses(packet: PacketRecord, side: "source" | "destination"): string[] {
  const own = packet.protocol === "arp" ? [] : [packet[side].split(":")[0]!];
  return packet.inner === undefined ? own : [...own, ...addresses(packet.inner, side)];
}

type DeviceRecord = Extract<TraceEvent, { type: "device" }>;
const isDevice = (event: TraceEvent): event is DeviceRecord => event.type === "device";

const DIRECTIONS = { rx: "0x00000001", tx: "0x00000002" } as const;

/** What both a capture and a trace say of one frame. */
const asTraced = ({ netns, device, direction, time_us, packet }: DeviceRecord) => ({
  interface: `${netns}/${device}`,
  direction: DIRECTIONS[direction],
  us: time_us,
  source: addresses(packet, "source"),
  destination: addresses(packet, "destination"),
});

const asCaptured = (row: TsharkPacket) => ({
  interface: row["frame.interface_name"]![0],
  direction: row["frame.packet_flags_direction"]![0],
  us: Math.round(Number(row["frame.time_epoch"]![0]) * 1e6),
  source: row["ip.src"],
  destination: row["ip.dst"],
});

const faults = (rows: readonly TsharkPacket[]): TsharkPacket[] =>
  rows.filter(
    (row) =>
      row["_ws.malformed"]!.length > 0 ||
      FIELDS.some((field) => field.endsWith("checksum.status") && row[field]!.includes(BAD_CHECKSUM)),
  );

describe("a capture of every device", () => {
  it.skipIf(!hasTshark).each(TOPOLOGIES)(
    "%s: tshark finds no fault, and the addresses at each interface are the trace's",
    (topology) => {
      const cluster = clusterOf(topologyText([], topology));
      const traced: ReturnType<typeof asTraced>[] = [];
      const bytes = captureWhile(cluster.network, () => {
        for (const request of requests(cluster))
          traced.push(...send(cluster, request).events.filter(isDevice).map(asTraced));
      });
      const rows = readWithTshark(bytes, FIELDS);
      expect(faults(rows)).toEqual([]);
      expect(rows.length).toBeGreaterThan(10);
      expect(rows.map(asCaptured)).toEqual(traced);
      for (const row of rows) expect(row["frame.interface_description"]).toEqual(row["frame.interface_name"]);
    },
    60_000,
  );

  it.skipIf(!hasTshark)(
    "says in a comment what was translated, and what became of a packet that ended",
    () => {
      const cluster = clusterOf(topologyText());
      const bytes = captureWhile(cluster.network, () => {
        send(cluster, { from: "pod/client", to: "svc/nginx:80", sourcePort: 40000 });
        send(cluster, { from: "pod/client", to: "pod/client2", protocol: "icmp", ttl: 1 });
      });
      const comments = readWithTshark(bytes, FIELDS).flatMap((row) =>
        row["frame.comment"]!.length === 0
          ? []
          : [`${row["frame.interface_name"]![0]}: ${row["frame.comment"]!.join(",")}`],
      );
      expect(comments).toEqual(
        expect.arrayContaining([
          expect.stringMatching(
            /^srv-k8s-node1\/docker0: destination 192\.168\.25\.10:80 -> 192\.168\.9\d\.\d+:80 \(PREROUTING\)$/,
          ),
          expect.stringMatching(/^srv-k8s-node1\/docker0: dropped: .* on its way to 192\.168\.96\.\d+$/),
        ]),
      );
    },
  );

  it("is written piece by piece, the pieces being one file", () => {
    const pieces: Uint8Array[] = [];
    const cluster = clusterOf(topologyText());
    const capture = new Capture(cluster.network);
    cluster.network.recorder = capture;
    for (let i = 0; i < 3; i++) {
      send(cluster, { from: "pod/client", to: "svc/nginx:80" });
      pieces.push(capture.take());
    }
    const other = clusterOf(topologyText());
    const whole = captureWhile(other.network, () => {
      for (let i = 0; i < 3; i++) send(other, { from: "pod/client", to: "svc/nginx:80" });
    });
    expect(Buffer.concat(pieces)).toEqual(Buffer.from(whole));
  });

  it("keeps what it is asked to, and tells whoever watched before", () => {
    const cluster = clusterOf(topologyText());
    let told = 0;
    cluster.network.recorder = { record: () => told++ };
    const keep = ({ netns, device }: { netns: string; device: string }) => `${netns}/${device}` === "gw/eth0";
    const bytes = captureWhile(
      cluster.network,
      () => void send(cluster, { from: "host/gw", to: "node/srv-k8s-node1:30088" }),
      { keep },
    );
    const types: number[] = [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += view.getUint32(at + 4)) types.push(view.getUint32(at));
    expect(types.filter((type) => type === 1)).toHaveLength(1);
    expect(types.filter((type) => type === 6).length).toBeGreaterThan(2);
    expect(told).toBeGreaterThan(types.length);
  });
});
