import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SimulatedCluster } from "../../src/cluster/build/cluster.ts";
import type { FlowRequest } from "../../src/lab/agent.ts";
import { LabSession } from "../../src/lab/session.ts";
import { IPS_ASSURED } from "../../src/linux/netfilter/conntrack/entry.ts";
import type { Netns } from "../../src/linux/netns.ts";
import { kernelIsThere, LAB_NAME, sweepStale } from "./availability.ts";
import { A, B, C, clusterModel, flow } from "./cluster.ts";

/** Something broken in the simulation alone, and a flow that must give it away. */
interface Fault {
  readonly what: string;
  /** Breaks it; gives what mends it again. */
  readonly break: (cluster: SimulatedCluster) => () => void;
  readonly flow: FlowRequest;
  /** What of the report must tell of it. */
  readonly field: RegExp;
}

const node = (cluster: SimulatedCluster, name: string): Netns => cluster.network.netns(name);

/** Puts something in the place of an object's property. */
function replace<T extends object, K extends keyof T>(object: T, key: K, value: T[K]): () => void {
  const own = Object.getOwnPropertyDescriptor(object, key);
  Object.defineProperty(object, key, { value, configurable: true, writable: true });
  return () => {
    if (own === undefined) Reflect.deleteProperty(object, key);
    else Object.defineProperty(object, key, own);
  };
}

const sysctl =
  (on: string, name: string, value: number) =>
  (cluster: SimulatedCluster): (() => void) => {
    const { sysctl } = node(cluster, on);
    const was = sysctl.get(name);
    sysctl.set(name, value);
    return () => sysctl.set(name, was);
  };

/** Another rule set in the simulation than in the kernel. */
const rules =
  (on: string, change: (text: string) => string) =>
  (cluster: SimulatedCluster): (() => void) => {
    const { netfilter } = node(cluster, on);
    const text = netfilter.save();
    expect(change(text)).not.toBe(text);
    netfilter.load(change(text));
    return () => netfilter.load(text);
  };

const FAULTS: readonly Fault[] = [
  {
    what: "a TTL that is one too low",
    break: (cluster) => {
      const n2 = node(cluster, "n2");
      const real = n2.ipReceive;
      return replace(n2, "ipReceive", (netns, skb) => {
        skb.packet.ttl--;
        real(netns, skb);
      });
    },
    flow: flow(A, "udp", "192.168.96.2:53"),
    field: /^delivered\.ttl$/,
  },
  {
    what: "a reply that is not translated back",
    break: (cluster) => {
      const { netfilter } = node(cluster, "n1");
      const real = netfilter.run.bind(netfilter);
      return replace(netfilter, "run", (hook, skb, indev, outdev) => {
        const { src } = skb.packet;
        const verdict = real(hook, skb, indev, outdev);
        if (hook === 4 && skb.ctinfo === 3) skb.packet.src = src;
        return verdict;
      });
    },
    flow: flow(A, "udp", "10.96.0.10:53"),
    field: /^reply\.source$/,
  },
  {
    what: "ip_forward ignored",
    break: sysctl("n2", "net.ipv4.ip_forward", 0),
    flow: flow(A, "tcp", "192.168.96.2:80"),
    field: /^verdict$/,
  },
  {
    what: "bridge-nf-call-iptables ignored",
    break: sysctl("n2", "net.bridge.bridge-nf-call-iptables", 0),
    flow: flow(C, "udp", "10.96.0.10:53"),
    field: /^reply\./,
  },
  {
    what: "another default TTL",
    break: sysctl(A, "net.ipv4.ip_default_ttl", 63),
    flow: flow(A, "tcp", "192.168.96.2:80"),
    field: /^delivered\.ttl$/,
  },
  {
    what: "route_localnet ignored",
    break: sysctl("n2", "net.ipv4.conf.all.route_localnet", 0),
    flow: flow("n2", "tcp", "127.0.0.1:30080"),
    field: /^verdict$/,
  },
  {
    what: "hairpin mode where there is none",
    break: (cluster) => {
      const port = cluster.pod("default", "b")!.sandbox!.port;
      port.hairpin = true;
      return () => {
        port.hairpin = false;
      };
    },
    flow: flow(B, "tcp", "10.96.0.10:80"),
    field: /^verdict$/,
  },
  {
    what: "no masquerade",
    break: rules("n1", (text) => text.replace(/^-A POSTROUTING -s .*MASQUERADE\n/gm, "")),
    flow: flow(A, "tcp", "192.168.96.2:80"),
    field: /^delivered\.source$/,
  },
  {
    what: "a DNAT to another port",
    break: rules("n1", (text) =>
      text.replaceAll("--to-destination 192.168.96.2:80", "--to-destination 192.168.96.2:81"),
    ),
    flow: flow("client", "tcp", "10.1.96.232:30080"),
    field: /^verdict$/,
  },
  {
    what: "a rule that is missing, though nothing depends on it",
    break: rules("n1", (text) => text.replace(/^-A FORWARD .*KUBE-PROXY-FIREWALL\n/m, "")),
    flow: flow(A, "icmp", "192.168.96.2"),
    field: /^rules$/,
  },
  {
    what: "REJECT with another error",
    break: rules("n1", (text) => text.replaceAll("icmp-port-unreachable", "icmp-host-unreachable")),
    flow: flow(A, "tcp", "10.96.0.99:80"),
    field: /^icmp\.code$/,
  },
  {
    what: "a tunnel of a larger MTU",
    break: (cluster) => {
      const tun = node(cluster, "n1").device("flannel0");
      tun.mtu += 28;
      return () => {
        tun.mtu -= 28;
      };
    },
    flow: flow(A, "udp", "192.168.96.2:53", { size: 1472, discovery: "do" }),
    field: /^(verdict|icmp\.type)$/,
  },
  {
    what: "a connection that is never assured",
    break: (cluster) => {
      const { netfilter } = node(cluster, "n1");
      const real = netfilter.run.bind(netfilter);
      return replace(netfilter, "run", (hook, skb, indev, outdev) => {
        const verdict = real(hook, skb, indev, outdev);
        if (skb.ct !== null) skb.ct.status &= ~IPS_ASSURED;
        return verdict;
      });
    },
    flow: flow(A, "tcp", "192.168.96.2:80"),
    field: /^conntrack n1$/,
  },
  {
    what: "a neighbour under another address",
    break: (cluster) => {
      const eth0 = node(cluster, B).device("eth0");
      const { mac } = eth0;
      eth0.mac = mac + 1;
      return () => {
        eth0.mac = mac;
      };
    },
    flow: flow(A, "udp", "192.168.96.2:53"),
    field: /^frames /,
  },
  {
    what: "a lease that flannel has lost",
    break: (cluster) => {
      const { flannel } = cluster.node("n1");
      if (flannel.type !== "udp") throw new Error("not udp");
      const other = cluster.node("n2").lease;
      flannel.proxy.deleteRoute(other);
      return () => flannel.proxy.setRoute(other);
    },
    flow: flow(A, "icmp", "192.168.96.2"),
    field: /^verdict$/,
  },
  {
    what: "a listener that is not there",
    break: (cluster) => {
      const { sockets } = node(cluster, B);
      const listener = sockets.listeners.find(({ port }) => port === 53)!;
      sockets.close(listener);
      return () => void sockets.listen(listener);
    },
    flow: flow(A, "udp", "192.168.96.2:53"),
    field: /^verdict$/,
  },
];

describe.skipIf(!kernelIsThere)("a broken simulation is caught", () => {
  let session: LabSession;
  beforeAll(async () => {
    sweepStale();
    session = await LabSession.open(clusterModel("udp"), {
      lab: `${LAB_NAME}-faults`,
      iptables: "nft",
      seed: 1,
    });
  });
  afterAll(() => session?.close());

  it.each(FAULTS)("$what", async ({ break: breakIt, flow: request, field }) => {
    expect((await session.verify(request)).differences).toEqual([]);
    const mend = breakIt(session.cluster);
    const broken = await session.verify(request);
    mend();
    expect(broken.differences.map((one) => one.field).join("\n")).toMatch(new RegExp(field.source, "m"));
    // what the broken flow left behind goes with the next fresh one
    await session.verify(flow(A, "icmp", "192.168.97.1"));
  });
});
