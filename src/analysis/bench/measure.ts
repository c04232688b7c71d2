import type { Netns } from "../../linux/netns.ts";
import type { Recorder } from "../../linux/recorder.ts";
import { type BenchCluster, SERVICE_PORT } from "./cluster.ts";
import type { Work } from "./cost-model.ts";

/** First packets that are sent at least, so that chance within a Service's rules evens out. */
const LEAST_SAMPLES = 200;
/** Flows that get a second packet. */
const ESTABLISHED_SAMPLES = 100;
const FIRST_PORT = 1024;
const PORTS = 60_000;
/** Packets between two looks at the clock. */
const BATCH = 200;

/** Counts what the packets of one send make the kernels do, in all namespaces on their way. */
class WorkMeter implements Recorder {
  private readonly bench: BenchCluster;
  private iptablesRules = 0;
  private nftablesRules = 0;
  private conntrackInserts = 0;
  private before = 0;
  private delivered = false;

  constructor(bench: BenchCluster) {
    this.bench = bench;
  }

  record(event: Parameters<Recorder["record"]>[0]): void {
    if (event.type === "conntrack" && event.action === "confirm") this.conntrackInserts++;
    if (event.type === "deliver") this.delivered = true;
    if (event.type !== "table") return;
    const { nftables } = this.bench.cluster.network.netns(event.netns).netfilter;
    if (nftables?.table.name === event.table) this.nftablesRules += event.rulesWalked;
    else this.iptablesRules += event.rulesWalked;
  }

  private lookups(): number {
    let lookups = 0;
    for (const { netns } of this.bench.cluster.nodes.values())
      lookups += netns.netfilter.lookups + (netns.ipvs?.lookups ?? 0);
    return lookups;
  }

  during(send: () => void): Work {
    this.iptablesRules = 0;
    this.nftablesRules = 0;
    this.conntrackInserts = 0;
    this.delivered = false;
    this.before = this.lookups();
    const { network } = this.bench.cluster;
    network.recorder = this;
    send();
    network.recorder = null;
    if (!this.delivered) throw new Error("a packet to a Service was not delivered");
    const { iptablesRules, nftablesRules, conntrackInserts } = this;
    return { iptablesRules, nftablesRules, conntrackInserts, lookups: this.lookups() - this.before };
  }
}

/** The work of first packets, over all Services, and of packets that follow them. */
export interface MeasuredWork {
  readonly first: readonly Work[];
  readonly established: readonly Work[];
}

/**
 * Sends first packets from the client to every Service, in the order of their rules, and second ones in some of the
 * flows. Throws when a packet is not delivered: then there is nothing to count.
 */
export function measureWork(bench: BenchCluster): MeasuredWork {
  const { addresses } = bench;
  resolveNeighbours(bench);
  const meter = new WorkMeter(bench);
  const rounds = Math.max(1, Math.ceil(LEAST_SAMPLES / addresses.length));
  const first: Work[] = [];
  const established: Work[] = [];
  const stride = Math.max(1, Math.floor(addresses.length / ESTABLISHED_SAMPLES));
  for (let round = 0; round < rounds; round++)
    for (const [i, address] of addresses.entries()) {
      const port = FIRST_PORT + 1 + round;
      const flow = (): void => sendOne(bench, address, port);
      first.push(meter.during(flow));
      if (round === 0 && i % stride === 0) established.push(meter.during(flow));
    }
  return { first, established };
}

function sendOne({ client, cluster }: BenchCluster, destination: number, sourcePort: number): void {
  const { errno } = client.sockets.udp.send({
    destination,
    destinationPort: SERVICE_PORT,
    sourcePort,
    payloadLength: 18,
  });
  if (errno !== null) throw new Error(`the client's send failed: ${errno}`);
  cluster.network.run();
}

/** A few packets so that every endpoint's neighbour entry is there: ARP is not what is measured. */
function resolveNeighbours(bench: BenchCluster): void {
  const [address] = bench.addresses;
  if (address === undefined) return;
  for (let i = 0; i < LEAST_SAMPLES; i++) sendOne(bench, address, FIRST_PORT + PORTS - i);
  bench.cluster.network.settle();
}

function forget(netns: Netns): void {
  netns.netfilter.conntrack?.flush();
  netns.ipvs?.connections.clear();
}

/** Packets a second that the simulator itself carries, nobody watching, one core. */
export interface Speed {
  readonly newFlows: number;
  readonly established: number;
}

/** Carries packets for about `seconds`, of flows that each packet begins and of one that stands. */
export function measureSpeed(bench: BenchCluster, seconds: number): Speed {
  const { addresses, cluster } = bench;
  const last = addresses.at(-1)!;
  const rate = (send: (i: number) => void): number => {
    for (const netns of cluster.network.namespaces.values()) forget(netns);
    const begin = performance.now();
    let packets = 0;
    // port numbers end: a new flow's tuple must not come round again
    while (packets < PORTS && performance.now() - begin < seconds * 1000) {
      for (let i = 0; i < BATCH; i++) send(packets + i);
      packets += BATCH;
    }
    return (packets / (performance.now() - begin)) * 1000;
  };
  const newFlow = (i: number): void => sendOne(bench, addresses[i % addresses.length]!, FIRST_PORT + i);
  rate(newFlow);
  const newFlows = rate(newFlow);
  const established = (): void => sendOne(bench, last, FIRST_PORT);
  rate(established);
  return { newFlows, established: rate(established) };
}
