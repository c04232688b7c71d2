import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kernelNetnsName } from "../../src/lab/name.ts";
import { LabSession } from "../../src/lab/session.ts";
import { buildSnapshots, type SnapshotCluster } from "../../src/topology/snapshot/build.ts";
import { COLLECT_SCRIPT } from "../../src/topology/snapshot/collect-script.ts";
import { type NodeSnapshot, readSnapshot } from "../../src/topology/snapshot/files.ts";
import { send } from "../../src/trace/send.ts";
import { kernelIsThere, LAB_NAME } from "./availability.ts";
import { A, C, clusterModel, flow } from "./cluster.ts";

const NODES = ["n1", "n2"];

/** What both nodes and their pods can be asked; what the hosts, which were not collected, have no part in. */
const FLOWS: readonly [
  what: string,
  from: string,
  protocol: "tcp" | "udp" | "icmp",
  to: string,
  ttl?: number,
][] = [
  ["pod to pod across nodes", A, "tcp", "192.168.96.2:80"],
  ["pod to pod, bridged", C, "tcp", "192.168.96.2:80"],
  ["pod to pod, udp", A, "udp", "192.168.96.2:53"],
  ["pod to pod, ping", A, "icmp", "192.168.96.3"],
  ["a port where nobody listens", A, "tcp", "192.168.96.3:81"],
  ["the same, udp", A, "udp", "192.168.96.3:81"],
  ["ClusterIP", A, "tcp", "10.96.0.10:80"],
  ["ClusterIP, udp", A, "udp", "10.96.0.10:53"],
  ["ClusterIP from a node", "n1", "tcp", "10.96.0.10:80"],
  ["no endpoints", A, "tcp", "10.96.0.99:80"],
  ["nodePort of the own node", A, "tcp", "10.1.96.232:30080"],
  ["nodePort of the other node", A, "tcp", "10.1.96.233:30080"],
  ["nodePort from a node", "n1", "tcp", "10.1.96.233:30080"],
  ["hostPort", A, "tcp", "10.1.96.233:8081"],
  ["node to node, ping", "n1", "icmp", "10.1.96.233"],
  ["TTL of 1", A, "tcp", "192.168.96.2:80", 1],
  ["TTL of 2", A, "udp", "192.168.96.2:53", 2],
];

/** Copies each node of a lab as its owner would: by the script, in the node's own namespace. */
function collect(lab: string, folder: string): NodeSnapshot[] {
  return NODES.map((node) => {
    const target = join(folder, node);
    const { status, stderr } = spawnSync(
      "ip",
      ["netns", "exec", kernelNetnsName(lab, node), "env", `PODPATH_NODE=${node}`, "sh", "-s", target],
      { input: COLLECT_SCRIPT, encoding: "utf8", timeout: 25_000 },
    );
    if (status !== 0) throw new Error(stderr);
    return readSnapshot(target);
  });
}

/** The copy's name of a pod ends in the lab's. */
function nameIn(copy: SnapshotCluster, from: string): string {
  if (NODES.includes(from)) return `node/${from}`;
  const pod = copy.model.pods.find(({ name }) => name.endsWith(from.replaceAll("/", "_")));
  return `pod/${pod?.name}`;
}

/**
 * Are the pods of both nodes there, with their wires? While a node is copied, other tests' namespaces come and go, and a
 * namespace that goes while `ip netns list-id` asks for its number keeps the numbers after it out of the list.
 */
function isWhole(copy: SnapshotCluster): boolean {
  const reaches = (from: string, to: string): boolean =>
    nameIn(copy, from) !== "pod/undefined" &&
    send(copy, { from: nameIn(copy, from), to, protocol: "icmp" }).verdict === "delivered";
  return reaches(A, "192.168.96.2") && reaches(A, "192.168.96.3") && reaches(C, "192.168.96.2");
}

const ATTEMPTS = 4;

describe.skipIf(!kernelIsThere).each(["udp", "vxlan", "host-gw"] as const)(
  "nodes of a lab, collected, tell what becomes of a packet as the lab does: %s",
  (backend) => {
    const folder = mkdtempSync(join(tmpdir(), "podpath-snapshot-"));
    let session: LabSession;
    let copy: SnapshotCluster;

    beforeAll(async () => {
      const lab = `${LAB_NAME}-s${backend}`;
      session = await LabSession.open(clusterModel(backend), { lab, iptables: "nft", seed: 1 });
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const snapshots = collect(lab, join(folder, String(attempt)));
        copy = buildSnapshots(snapshots);
        if (isWhole(buildSnapshots(snapshots))) break;
      }
    }, 60_000);

    afterAll(async () => {
      rmSync(folder, { recursive: true });
      await session?.close();
    });

    it.each(FLOWS)("%s", async (_what, from, protocol, to, ttl) => {
      const request = flow(from, protocol, to, ttl === undefined ? {} : { ttl });
      const { kernel } = await session.verify(request);
      const trace = send(copy, {
        from: nameIn(copy, from),
        to,
        protocol,
        ...(protocol === "icmp" ? {} : { sourcePort: request.sourcePort }),
        ...(ttl === undefined ? {} : { ttl }),
      });
      // a node's own taps show its masqueraded port: an answer cannot be told by it
      const isPod = !NODES.includes(from);
      expect({
        verdict: trace.verdict,
        destination: trace.delivered?.destination ?? null,
        ttl: trace.delivered?.ttl ?? null,
        reply:
          isPod && trace.reply?.verdict === "delivered"
            ? { source: trace.reply.source, ttl: trace.reply.ttl }
            : null,
        icmp: trace.icmp,
      }).toEqual({
        verdict: kernel.verdict,
        destination: kernel.delivered?.destination ?? null,
        ttl: kernel.delivered?.ttl ?? null,
        reply: isPod && kernel.reply ? { source: kernel.reply.source, ttl: kernel.reply.ttl } : null,
        icmp: kernel.icmp && { type: kernel.icmp.type, code: kernel.icmp.code, from: kernel.icmp.from },
      });
    });
  },
);
