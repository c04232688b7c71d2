import { describe, expect, it } from "vitest";
import {
  completeKubeProxyConfiguration,
  type PartialKubeProxyConfiguration,
} from "../../../src/cluster/kube-proxy/configuration.ts";
import { nodeIPv4, type ProxyNode, podCIDRsOf } from "../../../src/cluster/kube-proxy/node.ts";
import { proxier } from "../../../src/cluster/kube-proxy/proxier.ts";
import { durationSeconds, kubeProxySysctls } from "../../../src/cluster/kube-proxy/setup.ts";
import { NODE, nodePort, rulesOf, slice } from "./cluster.ts";

const jumpsToNodePorts = (rules: readonly string[]) =>
  rules.filter((rule) => rule.endsWith("-j KUBE-NODEPORTS")).map((rule) => rule.replace(/^.*chain" /, ""));

describe("how local pods' traffic is told", () => {
  it.each<[string, PartialKubeProxyConfiguration, string | undefined]>([
    ["the cluster's block", { clusterCIDR: "192.168.0.0/16" }, "! -s 192.168.0.0/16"],
    ["its host bits cleared", { clusterCIDR: "192.168.7.5/16" }, "! -s 192.168.0.0/16"],
    ["the first IPv4 block", { clusterCIDR: "fd00::/64,10.8.0.0/16,10.9.0.0/16" }, "! -s 10.8.0.0/16"],
    ["not at all", { clusterCIDR: "" }, undefined],
    ["not at all by IPv6 alone", { clusterCIDR: "fd00::/64" }, undefined],
    ["the node's block", { detectLocalMode: "NodeCIDR" }, "! -s 192.168.97.0/24"],
    [
      "a bridge",
      { detectLocalMode: "BridgeInterface", detectLocal: { bridgeInterface: "docker0" } },
      "! -i docker0",
    ],
    [
      "a prefix",
      { detectLocalMode: "InterfaceNamePrefix", detectLocal: { interfaceNamePrefix: "veth" } },
      "! -i veth+",
    ],
  ])("%s", (_, config, expected) => {
    const rules = rulesOf([nodePort()], [slice(["192.168.96.4"])], config);
    const masquerade = rules.find((rule) => /^-A KUBE-SVC-.*-j KUBE-MARK-MASQ$/.test(rule));
    expect(/ (! .*) -j KUBE-MARK-MASQ$/.exec(masquerade ?? "")?.[1]).toBe(expected);
  });

  it("does not matter under masqueradeAll", () => {
    const rules = rulesOf([nodePort()], [slice(["192.168.96.4"])], { iptables: { masqueradeAll: true } });
    const masquerade = rules.filter((rule) => /^-A KUBE-SVC-.*-j KUBE-MARK-MASQ$/.test(rule));
    expect(masquerade).toHaveLength(1);
    expect(masquerade[0]).toContain("--dport 80 -j KUBE-MARK-MASQ");
  });
});

describe("where NodePorts are answered", () => {
  const everywhere = ["-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"];
  const notLoopback = ["-m addrtype --dst-type LOCAL ! -d 127.0.0.0/8 -j KUBE-NODEPORTS"];
  const on = (...addresses: string[]) => addresses.map((address) => `-d ${address} -j KUBE-NODEPORTS`);
  it.each<[string, PartialKubeProxyConfiguration, string[], boolean]>([
    ["everywhere", {}, everywhere, true],
    ["not on loopback", { iptables: { localhostNodePorts: false } }, notLoopback, false],
    ["in a block", { nodePortAddresses: ["10.1.96.0/24"] }, on("10.1.96.232"), false],
    ["at an address", { nodePortAddresses: ["10.1.96.232/32"] }, on("10.1.96.232"), false],
    [
      "in blocks, each address once",
      { nodePortAddresses: ["10.1.0.0/16", "10.0.0.0/8"] },
      on("10.1.96.232"),
      false,
    ],
    [
      "on loopback too",
      { nodePortAddresses: ["127.0.0.0/8", "10.1.96.0/24"] },
      on("127.0.0.1", "10.1.96.232"),
      true,
    ],
    ["on 127.0.0.1 by its own block", { nodePortAddresses: ["127.0.0.1/32"] }, on("127.0.0.1"), true],
    [
      "on loopback only if allowed",
      { nodePortAddresses: ["127.0.0.0/8", "10.1.96.0/24"], iptables: { localhostNodePorts: false } },
      on("10.1.96.232"),
      false,
    ],
    ["everywhere by 0.0.0.0/0", { nodePortAddresses: ["10.1.96.0/24", "0.0.0.0/0"] }, everywhere, true],
    ["everywhere by IPv6 blocks alone", { nodePortAddresses: ["fd00::/64"] }, everywhere, true],
    ["nowhere", { nodePortAddresses: ["172.16.0.0/12"] }, [], false],
    ["at the primary address", { nodePortAddresses: ["primary"] }, on("10.1.96.232"), false],
  ])("%s", (_, config, jumps, onLocalhost) => {
    const rules = rulesOf([nodePort()], [slice(["192.168.96.4"])], config);
    expect(jumpsToNodePorts(rules)).toEqual(jumps);
    expect(rules.includes(":KUBE-FIREWALL - [0:0]")).toBe(onLocalhost);
    expect(rules.some((rule) => rule.includes("localhost_nps_accepted_pkts"))).toBe(onLocalhost);
  });

  it("is everywhere when the primary address is a loopback one", () => {
    const rules = rulesOf([], [], { nodePortAddresses: ["primary"] }, { nodeIP: "127.0.0.1" });
    expect(jumpsToNodePorts(rules)).toEqual(everywhere);
  });
});

describe("what the node's kernel and iptables can do", () => {
  it.each<[string, PartialKubeProxyConfiguration, Partial<ProxyNode>, string, string]>([
    [
      "mark bit 0",
      { iptables: { masqueradeBit: 0 } },
      {},
      "-A KUBE-MARK-MASQ -j MARK --or-mark 0x00000001",
      "0x00004000",
    ],
    [
      "mark bit 31",
      { iptables: { masqueradeBit: 31 } },
      {},
      "-A KUBE-POSTROUTING -j MARK --xor-mark 0x80000000",
      "0x00004000",
    ],
    [
      "no xt_nfacct",
      {},
      { nfacct: false },
      "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP",
      "nfacct",
    ],
    [
      "no --random-fully",
      {},
      { randomFully: false },
      '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE',
      "--random-fully",
    ],
    ["a liberal conntrack", {}, { conntrackTcpBeLiberal: true }, "COMMIT", "INVALID"],
    ["a conntrack made liberal", { conntrack: { tcpBeLiberal: true } }, {}, "COMMIT", "INVALID"],
  ])("%s", (_, config, node, held, absent) => {
    const rules = rulesOf([nodePort()], [slice(["192.168.96.4"])], config, node);
    expect(rules).toContain(held);
    expect(rules.filter((rule) => rule.includes(absent))).toEqual([]);
  });
});

describe("what kube-proxy reads of its Node", () => {
  const address = (type: string, text: string) => ({ type, address: text });
  it.each([
    [
      "InternalIP first",
      [address("ExternalIP", "1.2.3.4"), address("InternalIP", "10.0.0.1")],
      "0.0.0.0",
      "10.0.0.1",
    ],
    ["ExternalIP else", [address("Hostname", "n"), address("ExternalIP", "1.2.3.4")], "0.0.0.0", "1.2.3.4"],
    ["no IPv6", [address("InternalIP", "fd00::1"), address("InternalIP", "10.0.0.2")], "", "10.0.0.2"],
    ["bindAddress above all", [address("InternalIP", "10.0.0.1")], "10.9.9.9", "10.9.9.9"],
    ["localhost at last", [], "0.0.0.0", "127.0.0.1"],
  ])("address: %s", (_, addresses, bindAddress, expected) => {
    expect(nodeIPv4({ status: { addresses } }, bindAddress)).toBe(expected);
  });

  it("its pod blocks, podCIDR standing in for podCIDRs", () => {
    expect(podCIDRsOf({ spec: { podCIDR: "10.2.0.0/24" } })).toEqual(["10.2.0.0/24"]);
    expect(
      podCIDRsOf({ spec: { podCIDR: "10.2.0.0/24", podCIDRs: ["10.2.0.0/24", "fd00::/64"] } }),
    ).toHaveLength(2);
    expect(podCIDRsOf({})).toEqual([]);
  });
});

describe("sysctls", () => {
  it.each([
    ["24h0m0s", 86400],
    ["1h30m", 5400],
    ["1.5h", 5400],
    ["250ms", 0],
    ["0", 0],
  ])("reads the duration %s", (text, seconds) => {
    expect(durationSeconds(text)).toBe(seconds);
  });

  it("are kube-proxy's by default", () => {
    const config = completeKubeProxyConfiguration({});
    expect(kubeProxySysctls(config, proxier(config, NODE), 8)).toEqual({
      "net.netfilter.nf_conntrack_max": 262144,
      "net.netfilter.nf_conntrack_tcp_timeout_established": 86400,
      "net.netfilter.nf_conntrack_tcp_timeout_close_wait": 3600,
      "net.ipv4.conf.all.route_localnet": 1,
    });
  });

  it("leave route_localnet alone where NodePorts are not on loopback", () => {
    const config = completeKubeProxyConfiguration({
      nodePortAddresses: ["primary"],
      conntrack: { maxPerCore: 0 },
    });
    expect(Object.keys(kubeProxySysctls(config, proxier(config, NODE), 2))).toEqual([
      "net.netfilter.nf_conntrack_tcp_timeout_established",
      "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
    ]);
  });
});
