import { describe, expect, it } from "vitest";
import { ageOf, duration, longTime } from "../../../src/shell/kubectl/age.ts";
import { labelTest } from "../../../src/shell/kubectl/selector.ts";
import { tabbed, table } from "../../../src/shell/kubectl/table.ts";

describe("tables", () => {
  it("have columns of at least 10 and three blanks behind the longest cell", () => {
    expect(table(["NAME", "AGE"], [["a", "1m"]])).toBe("NAME      AGE\na         1m\n");
    expect(table(["NAME", "AGE"], [["hello-nginx", "1m"]])).toBe("NAME          AGE\nhello-nginx   1m\n");
  });

  it("of descriptions are aligned by tabs, block by block", () => {
    expect(tabbed("Name:\tx\nNamespace:\ty\n")).toBe("Name:\t\tx\nNamespace:\ty\n");
    expect(tabbed("Name:\tx\nSession Affinity:\tNone\n")).toBe("Name:\t\t\tx\nSession Affinity:\tNone\n");
    expect(tabbed("A:\tx\nblock\nLonger than eight:\ty\n")).toBe("A:\tx\nblock\nLonger than eight:\ty\n");
  });
});

describe("ages", () => {
  it.each([
    [-5, "<invalid>"],
    [-1, "0s"],
    [0, "0s"],
    [59, "59s"],
    [60, "1m"],
    [3599, "59m"],
    [3600, "1h"],
    [86399, "23h"],
    [86400, "1d"],
    [364 * 86400 - 1, "363d"],
    [364 * 86400, "0y"],
    [365 * 86400, "1y"],
  ])("%d seconds are %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it("are unknown without a time", () => {
    expect(ageOf(undefined, 0)).toBe("<unknown>");
    expect(longTime("2017-11-07T13:14:31Z")).toBe("Tue, 07 Nov 2017 08:14:31 -0500");
  });
});

describe("selectors", () => {
  const labels = { app: "nginx", tier: "web" };
  it.each([
    ["app=nginx", true],
    ["app==nginx,tier=web", true],
    ["app!=nginx", false],
    ["other!=x", true],
    ["app", true],
    ["!app", false],
    ["app in (a, nginx),tier", true],
    ["app notin (nginx)", false],
    ["", true],
  ])("%j: %s", (text, matches) => {
    expect(labelTest(text)(labels)).toBe(matches);
  });

  it("that are none are refused", () => {
    expect(() => labelTest("a=b=c d")).toThrow("unable to parse requirement");
  });
});
