import { describe, expect, it } from "vitest";
import { IP_CT_DIR_ORIGINAL } from "../../../../src/linux/netfilter/conntrack/entry.ts";
import { build, clusterYaml, modelOf, sendUdp } from "../../build/fixture.ts";

const VIP = "10.96.0.10:53";
const CLIENT = "node1/default/a";

/** The cluster of the fixture with pod `b` at another address under another name, as after a rolling update. */
const replaced = (text: string): string =>
  text
    .replace("metadata: {name: b, labels: {app: b}}", "metadata: {name: b2, labels: {app: b}}")
    .replace("status: {podIP: 192.168.96.2}", "status: {podIP: 192.168.96.3}");

const version = (kubeProxy: string): string => clusterYaml("host-gw", `  kubeProxy: {${kubeProxy}}`);

describe("a UDP client that keeps its source port, when the endpoint behind the Service has been replaced", () => {
  it.each([
    ["1.32, conntrack cleaned up", 'version: "1.32"', true],
    ["1.32, conntrack left alone", 'version: "1.32", conntrackCleanup: false', false],
    ["1.7, conntrack cleaned up", 'version: "1.7"', true],
    ["1.7, conntrack left alone", 'version: "1.7", conntrackCleanup: false', false],
  ])("%s", (_what, kubeProxy, healed) => {
    const text = version(kubeProxy);
    const cluster = build(text);
    expect(sendUdp(cluster, CLIENT, VIP).delivered).toContain("node2/default/b dns");
    cluster.update(modelOf(replaced(text)));
    for (let i = 0; i < 3; i++) {
      const { delivered } = sendUdp(cluster, CLIENT, VIP);
      if (healed) expect(delivered).toContain("node2/default/b2 dns");
      else expect(delivered).toBeNull();
    }
  });

  it("an entry from the time without endpoints bypasses the rules that come later, unless it is deleted", () => {
    const leading = (cleanup: boolean): string[] => {
      const text = version(`version: "1.32", conntrackCleanup: ${cleanup}`);
      // nobody is behind the Service; a rule set without it lets the packet go by untranslated
      const without = text.replace(/---\napiVersion: v1\nkind: Service[\s\S]*$/, "");
      const cluster = build(without);
      expect(sendUdp(cluster, CLIENT, VIP).delivered).toBeNull();
      cluster.update(modelOf(text));
      sendUdp(cluster, CLIENT, VIP);
      const table = cluster.node("node1").netns.netfilter.conntrack!;
      const { ct, direction } = table.find(0xc0a86102, 0x0a60000a, 40000, 53, 17);
      expect(direction).toBe(IP_CT_DIR_ORIGINAL);
      return [ct!.reply.src === 0xc0a86002 ? "translated" : "untranslated"];
    };
    expect(leading(true)).toEqual(["translated"]);
    expect(leading(false)).toEqual(["untranslated"]);
  });

  it("a TCP client is not healed: kube-proxy leaves its connection to fail by itself", () => {
    const text = version('version: "1.32"');
    const cluster = build(text);
    const { network } = cluster;
    const netns = network.netns(CLIENT);
    netns.sockets.tcp.connect({ destination: 0x0a60000a, destinationPort: 80, sourcePort: 40000 });
    network.settle();
    const entries = () =>
      [...cluster.node("node1").netns.netfilter.conntrack!.entries()].filter(
        ({ protocol, original }) => protocol === 6 && original.dport === 80,
      );
    expect(entries().map(({ reply }) => reply.src)).toEqual([0xc0a86002]);
    cluster.update(modelOf(replaced(text)));
    expect(entries().map(({ reply }) => reply.src)).toEqual([0xc0a86002]);
  });
});
