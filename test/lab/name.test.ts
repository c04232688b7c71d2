import { describe, expect, it } from "vitest";
import { kernelNetnsName, labPrefix, segmentNetns, simulatedNetnsName } from "../../src/lab/name.ts";

describe("names of namespaces in the kernel", () => {
  it.each([
    ["node1", "pp-lab_node1"],
    ["node1/kube-system/dns-0.a", "pp-lab_node1_kube-system_dns-0.a"],
    [segmentNetns("lan"), "pp-lab_@lan"],
  ])("%s is %s, and can be read back", (netns, name) => {
    expect(kernelNetnsName("lab", netns)).toBe(name);
    expect(simulatedNetnsName("lab", name)).toBe(netns);
  });

  it("keeps within a file's name", () => {
    const long = `${"n".repeat(253)}/ns/${"p".repeat(253)}`;
    expect(kernelNetnsName("lab", long)).toMatch(/^pp-lab_~[0-9a-f]{16}$/);
    expect(simulatedNetnsName("lab", kernelNetnsName("lab", long))).toBeNull();
  });

  it("lets no lab's prefix begin another's", () => {
    expect(labPrefix("a-b").startsWith(labPrefix("a"))).toBe(false);
    expect(labPrefix("../x")).toMatch(/^pp-[0-9a-f]{16}_$/);
    expect(simulatedNetnsName("a", kernelNetnsName("b", "node1"))).toBeNull();
  });
});
