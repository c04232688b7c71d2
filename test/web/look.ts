import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { type Bench, builtIn, openPage } from "./browser.ts";

/** What a reader looks at, and how the page gets there. */
const views: readonly (readonly [string, (page: Page) => Promise<unknown>])[] = [
  ["a trace", async (page) => page.getByRole("heading", { name: "Delivered" }).waitFor()],
  [
    "a choice on the map",
    async (page) => {
      await page.getByRole("button", { name: /^client2/ }).click();
      await page.getByRole("dialog").waitFor();
    },
  ],
  [
    "the rules of a node",
    async (page) => {
      await page.keyboard.press("Escape");
      await page.getByRole("tab", { name: "Inside" }).click();
      await page.locator(".rule-list li").first().waitFor();
    },
  ],
  [
    "the editor",
    async (page) => {
      await page.getByRole("tab", { name: "Topology" }).click();
      await page.locator(".cm-content").waitFor();
    },
  ],
];

/** Widths and schemes; a second scheme has only its colours to show, in the two views that have most of them. */
const looks = [
  [1440, "light", views],
  [1440, "dark", [views[0]!, views[3]!]],
  [390, "light", [views[0]!, views[3]!]],
  [390, "dark", views],
] as const;

/** What is tested of the page's looks. */
export function lookCases(bench: () => Bench): void {
  it.each(looks)(
    "%d pixels wide, %s: nothing that axe calls a violation, nothing beyond the edge",
    async (width, colorScheme, seen) => {
      const hash = "#from=pod/client&to=svc/nginx:80&explore=true&step=4";
      const opened = await openPage(bench(), { sources: builtIn, hash, width, colorScheme });
      const { page } = opened;
      for (const [name, go] of seen) {
        await go(page);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, nodes }) => `${name}: ${id} ${nodes[0]?.html.slice(0, 120)}`);
        expect(found).toEqual([]);
        const over = await page.locator("html").evaluate((root) => root.scrollWidth - root.clientWidth);
        expect([name, over]).toEqual([name, 0]);
      }
      await opened.close();
      expect(opened.complaints).toEqual([]);
    },
  );
}
