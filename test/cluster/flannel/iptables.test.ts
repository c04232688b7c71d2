import { describe, expect, it } from "vitest";
import { flannelRules } from "../../../src/cluster/flannel/iptables.ts";
import { restoreInput } from "../../../src/cluster/node-rules/command.ts";
import { hasIptables, realSave, rulesOf, VARIANTS } from "../node-rules/real-iptables.ts";

const FLANNEL = { network: "192.168.0.0/16", subnet: "192.168.96.0/24", ipMasq: true, forwardRules: true };

describe("flannel's rules", () => {
  it("are appended, masquerading first", () => {
    expect(flannelRules(FLANNEL).map(({ table, line }) => `${table} ${line}`)).toEqual([
      "nat -A POSTROUTING -s 192.168.0.0/16 -d 192.168.0.0/16 -j RETURN",
      "nat -A POSTROUTING -s 192.168.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE",
      "nat -A POSTROUTING ! -s 192.168.0.0/16 -d 192.168.96.0/24 -j RETURN",
      "nat -A POSTROUTING ! -s 192.168.0.0/16 -d 192.168.0.0/16 -j MASQUERADE",
      "filter -A FORWARD -s 192.168.0.0/16 -j ACCEPT",
      "filter -A FORWARD -d 192.168.0.0/16 -j ACCEPT",
    ]);
  });

  it.each([
    [false, false, 0],
    [true, false, 4],
    [false, true, 2],
  ])("ipMasq %s, forwardRules %s: %i rules", (ipMasq, forwardRules, count) => {
    expect(flannelRules({ ...FLANNEL, ipMasq, forwardRules }).length).toBe(count);
  });
});

describe.skipIf(!hasIptables)("the real iptables", () => {
  it.each(VARIANTS)("%s saves them as they are written", (variant) => {
    const saved = rulesOf(realSave(variant, [restoreInput(flannelRules(FLANNEL))]));
    const rules = Object.values(saved)
      .flat()
      .filter((line) => line.startsWith("-A"));
    expect(rules).toEqual(expect.arrayContaining(flannelRules(FLANNEL).map(({ line }) => line)));
  });
});
