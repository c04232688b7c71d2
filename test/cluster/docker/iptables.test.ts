import { describe, expect, it } from "vitest";
import { type DockerRules, dockerRules, publishedPortRules } from "../../../src/cluster/docker/iptables.ts";
import { type RuleCommand, restoreInput } from "../../../src/cluster/node-rules/command.ts";
import { Network } from "../../../src/linux/network.ts";
import { hasIptables, realSave, rulesOf, VARIANTS } from "../node-rules/real-iptables.ts";

const DOCKER: DockerRules = {
  bridge: "docker0",
  address: "192.168.96.1/24",
  ipMasq: true,
  iptables: true,
  forwardPolicy: "ACCEPT",
};

const WEB = {
  protocol: "tcp",
  hostIP: "0.0.0.0",
  hostPort: 8080,
  containerAddress: "192.168.96.54",
  containerPort: 80,
} as const;

/** The rules of a namespace after the commands, without empty chains and counters. */
function rulesAfter(...commands: RuleCommand[][]): string[] {
  const netns = new Network().addNetns("node");
  for (const one of commands) netns.netfilter.load(restoreInput(one), { noflush: true });
  return netns.netfilter
    .save()
    .split("\n")
    .filter((line) => line.startsWith("*") || line.startsWith("-"));
}

describe("docker's own rules", () => {
  it("stand in libnetwork's order", () => {
    expect(rulesAfter(dockerRules(DOCKER))).toEqual([
      "*nat",
      "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
      "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
      "-A POSTROUTING -s 192.168.96.0/24 ! -o docker0 -j MASQUERADE",
      "-A DOCKER -i docker0 -j RETURN",
      "*filter",
      "-A FORWARD -j DOCKER-ISOLATION",
      "-A FORWARD -o docker0 -j DOCKER",
      "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
      "-A FORWARD -i docker0 -o docker0 -j ACCEPT",
      "-A DOCKER-ISOLATION -j RETURN",
    ]);
  });

  it.each([
    [
      "--ip-masq=false: neither MASQUERADE nor RETURN",
      { ipMasq: false },
      ["MASQUERADE", "-A DOCKER -i docker0 -j RETURN"],
    ],
    [
      "--userland-proxy=false: no RETURN",
      { userlandProxy: false },
      ["-A DOCKER -i docker0 -j RETURN", "! -d 127.0.0.0/8"],
    ],
  ])("%s", (_, change, absent) => {
    const rules = rulesAfter(dockerRules({ ...DOCKER, ...change })).join("\n");
    for (const text of absent) expect(rules).not.toContain(text);
  });

  it("masquerade the node's own traffic to containers where there is no userland proxy", () => {
    expect(rulesAfter(dockerRules({ ...DOCKER, userlandProxy: false }))).toContain(
      "-A POSTROUTING -o docker0 -m addrtype --src-type LOCAL -j MASQUERADE",
    );
  });

  it("are none under --iptables=false", () => {
    expect(dockerRules({ ...DOCKER, iptables: false })).toEqual([]);
    expect(publishedPortRules({ ...DOCKER, iptables: false }, WEB, "-A")).toEqual([]);
  });

  it("set FORWARD's policy to DROP where docker 1.13 does", () => {
    const netns = new Network().addNetns("node");
    netns.netfilter.load(restoreInput(dockerRules({ ...DOCKER, forwardPolicy: "DROP" })), { noflush: true });
    expect(netns.netfilter.save()).toContain(":FORWARD DROP");
  });
});

describe("a published port", () => {
  it("is translated, let through, and masqueraded to itself", () => {
    const before = rulesAfter(dockerRules(DOCKER));
    const after = rulesAfter(dockerRules(DOCKER), publishedPortRules(DOCKER, WEB, "-A"));
    expect(after.filter((rule) => !before.includes(rule))).toEqual([
      "-A POSTROUTING -s 192.168.96.54/32 -d 192.168.96.54/32 -p tcp -m tcp --dport 80 -j MASQUERADE",
      "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.96.54:80",
      "-A DOCKER -d 192.168.96.54/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT",
    ]);
  });

  it("is for one address of the node where hostIP says so", () => {
    const port = { ...WEB, protocol: "udp", hostIP: "10.1.96.233", hostPort: 53, containerPort: 53 } as const;
    expect(rulesAfter(dockerRules(DOCKER), publishedPortRules(DOCKER, port, "-A"))).toContain(
      "-A DOCKER -d 10.1.96.233/32 ! -i docker0 -p udp -m udp --dport 53 -j DNAT --to-destination 192.168.96.54:53",
    );
  });

  it("leaves nothing behind", () => {
    const withAndWithout = [
      dockerRules(DOCKER),
      publishedPortRules(DOCKER, WEB, "-A"),
      publishedPortRules(DOCKER, WEB, "-D"),
    ];
    expect(rulesAfter(...withAndWithout)).toEqual(rulesAfter(dockerRules(DOCKER)));
  });
});

describe.skipIf(!hasIptables)("the real iptables", () => {
  const cases: [string, Partial<DockerRules>][] = [
    ["as installed", {}],
    ["with FORWARD DROP", { forwardPolicy: "DROP" }],
    ["without masquerading", { ipMasq: false }],
    ["without the userland proxy", { userlandProxy: false }],
  ];
  it.each(VARIANTS.flatMap((variant) => cases.map(([name, change]) => [variant, name, change] as const)))(
    "%s makes the same of docker's commands %s",
    (variant, _, change) => {
      const docker = { ...DOCKER, ...change };
      const texts = [dockerRules(docker), publishedPortRules(docker, WEB, "-A")].map(restoreInput);
      const netns = new Network().addNetns("node");
      for (const text of texts) netns.netfilter.load(text, { noflush: true });
      expect(rulesOf(realSave(variant, texts))).toEqual(rulesOf(netns.netfilter.save()));
    },
  );
});
