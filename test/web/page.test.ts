import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  type Bench,
  builtIn,
  hasChromium,
  type Opened,
  type OpenOptions,
  openBench,
  openPage,
} from "./browser.ts";
import { lookCases } from "./look.ts";
import { scaleCases } from "./scale.ts";

const sources = builtIn;
const ASKED = "#from=pod/client&to=svc/nginx:80";
let bench: Bench;
let opened: Opened | null = null;

beforeAll(async () => {
  if (hasChromium) bench = await openBench();
}, 60_000);
afterAll(() => bench?.close());
afterEach(async () => {
  const complaints = opened?.complaints ?? [];
  await opened?.close();
  opened = null;
  expect(complaints).toEqual([]);
});

async function open(options: Partial<OpenOptions> = {}) {
  opened = await openPage(bench, { sources, ...options });
  return opened.page;
}

describe.skipIf(!hasChromium)("how the page looks", () => lookCases(() => bench));
describe.skipIf(!hasChromium)("large topologies", () => scaleCases(() => bench));

describe.skipIf(!hasChromium)("the page in a browser", () => {
  it("a packet by clicking: source, target, trace, and its steps by keys", async () => {
    const page = await open();
    await page.getByRole("button", { name: /^client 192\.168\.97\.2/ }).click();
    await page.getByRole("button", { name: "Send from here" }).click();
    await page.getByRole("button", { name: /^nginx 192\.168\.25\.10/ }).click();
    await page.getByRole("button", { name: "Send to :80" }).click();
    expect(await page.getByRole("combobox", { name: "From", exact: true }).inputValue()).toBe("pod/client");
    expect(await page.getByRole("combobox", { name: "To", exact: true }).inputValue()).toBe("svc/nginx:80");
    await page.getByRole("button", { name: "Trace", exact: true }).click();
    await page.getByRole("heading", { name: "Delivered" }).waitFor();
    const now = page.getByRole("status").filter({ hasText: "request" });
    expect(await now.textContent()).toContain("A socket sends");
    const places = new Set<string>();
    for (let i = 0; i < 12; i++) {
      places.add((await page.locator(".packet").getAttribute("style"))!);
      await page.keyboard.press("ArrowRight");
    }
    expect(places.size).toBeGreaterThan(4);
    await expect.poll(() => page.locator(".step-count").textContent()).toMatch(/^13 of \d+$/);
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => page.locator(".step-count").textContent()).toMatch(/^12 of/);
    await page.keyboard.press("End");
    expect(await now.or(page.locator(".now")).first().textContent()).toContain(
      "Delivered to the socket that asked",
    );
    await page.keyboard.press("Home");
    await expect.poll(() => page.locator(".step-count").textContent()).toMatch(/^1 of/);
  });

  it("a packet by typing, with completion, by keys alone", async () => {
    const page = await open();
    await page.getByRole("combobox", { name: "From", exact: true }).focus();
    await page.keyboard.type("lapt");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("combobox", { name: "From", exact: true }).inputValue()).toBe("host/laptop");
    await page.keyboard.press("Tab");
    await page.keyboard.type("node1:30088");
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("combobox", { name: "To", exact: true }).inputValue()).toBe(
      "node/srv-k8s-node1:30088",
    );
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Delivered" }).waitFor();
  });

  it("what cannot be asked is said", async () => {
    const page = await open();
    await page.getByRole("combobox", { name: "From", exact: true }).fill("pod/clint");
    await page.getByRole("combobox", { name: "To", exact: true }).fill("svc/nginx:80");
    await page.getByRole("button", { name: "Trace", exact: true }).click();
    expect(await page.getByRole("alert").textContent()).toBe('no Pod default/clint; did you mean "client"?');
  });

  it("explores: every branch with its probability, one after the other", async () => {
    const page = await open({ hash: ASKED });
    await page.getByLabel("Every branch").check();
    await page.getByRole("button", { name: "Trace", exact: true }).click();
    const branches = page.getByRole("radio");
    await branches.first().waitFor();
    expect(await branches.count()).toBe(4);
    expect(await page.locator(".branch").allTextContents()).toEqual(
      Array(4).fill(expect.stringContaining("25.0 %")),
    );
    const receivers = new Set<string>();
    for (let i = 0; i < 4; i++) {
      await branches.nth(i).click();
      await expect.poll(() => /branch=(\d+)/.exec(page.url())?.[1] ?? "0").toBe(String(i));
      receivers.add((await page.locator(".verdict dd").first().textContent())!);
    }
    expect(receivers.size).toBe(4);
  });

  it("a namespace's state: rules that matched, searched, routes, FDB, conntrack", async () => {
    const page = await open({ hash: ASKED });
    await page.getByRole("heading", { name: "Delivered" }).waitFor();
    await page
      .getByRole("button", { name: /^srv-k8s-node1/ })
      .first()
      .click();
    await page.getByRole("button", { name: "Look inside" }).click();
    await page.getByLabel("Search the rules").fill("kube-sep dnat");
    const rules = page.locator(".rule-list li");
    const isFound = async (): Promise<boolean> =>
      (await rules.allTextContents()).every((text) => text.includes("-j DNAT"));
    await expect.poll(isFound).toBe(true);
    expect(await rules.count()).toBeGreaterThan(3);
    await page.getByLabel(/Matched only/).check();
    await expect.poll(() => rules.count()).toBe(1);
    expect(await rules.first().textContent()).toMatch(
      /request[\s\S]*--to-destination 192\.168\.9[67]\.\d+:80/,
    );
    for (const [tab, text] of [
      ["Routes", "192.168.0.0/16 dev flannel0"],
      ["FDB", "master docker0"],
      ["ARP", "lladdr"],
      ["Conntrack", "dst=192.168.25.10"],
    ] as const) {
      await page.getByRole("tab", { name: tab }).click();
      expect(await page.locator(".output").textContent()).toContain(text);
    }
  });

  it("edits the topology: an error at its line, then a change and what it changes", async () => {
    const page = await open({ hash: "#from=pod/client&to=svc/no-endpoints:80" });
    await page.getByRole("heading", { name: /Rejected/ }).waitFor();
    await page.getByRole("tab", { name: "Topology" }).click();
    const text = page.locator(".cm-content");
    await text.waitFor();
    await replace(page, "{hello: nobody}", "5");
    const fault = page.locator(".faults li");
    await fault.waitFor();
    expect(await fault.first().textContent()).toMatch(
      /two-workers\.yaml:\d+: Service\/no-endpoints: |spec\.selector/,
    );
    expect(await page.locator(".cm-lintRange-error").count()).toBeGreaterThan(0);
    await page.keyboard.press("Backspace");
    await page.keyboard.insertText("{hello: world}");
    await page.getByText("No faults.").waitFor();
    await page.getByRole("button", { name: "Use and trace again" }).click();
    await page.getByRole("heading", { name: "Delivered" }).waitFor();
    const changes = await page.getByRole("region", { name: "What changed" }).textContent();
    expect(changes).toContain("verdict");
    expect(changes).toMatch(/rejected[\s\S]*delivered/);
    expect(changes).toContain("received by");
  });

  it("completes podpath's own fields", async () => {
    const page = await open();
    await page.getByRole("tab", { name: "Topology" }).click();
    await replace(page, "SubnetLen: 24", "");
    await page.keyboard.type("Sub");
    await page.locator(".cm-tooltip-autocomplete").waitFor();
    expect(await page.locator(".cm-tooltip-autocomplete").textContent()).toMatch(/SubnetLen[\s\S]*SubnetMax/);
  });

  it("downloads the answer in every format", async () => {
    const page = await open({ hash: ASKED });
    await page.getByRole("heading", { name: "Delivered" }).waitFor();
    const starts = { JSON: "{", pcapng: "\n\r\r\n", SVG: "<svg", HTML: "<!DOCTYPE html>" };
    for (const [name, start] of Object.entries(starts)) {
      const coming = page.waitForEvent("download");
      await page.getByRole("button", { name: `Download ${name}` }).click();
      const file = readFileSync(await (await coming).path(), "latin1");
      expect(file.slice(0, start.length).toLowerCase()).toBe(start.toLowerCase());
    }
  });

  it("the link carries the question and the step", async () => {
    const page = await open({ hash: "#from=pod/client&to=pod/client2&protocol=icmp&ttl=1&step=3" });
    await page.getByRole("heading", { name: /Expired/ }).waitFor();
    await expect.poll(() => page.locator(".step-count").textContent()).toMatch(/^3 of/);
    expect(await page.getByLabel("Protocol").inputValue()).toBe("icmp");
    await page.keyboard.press(".");
    await expect
      .poll(() => page.url())
      .toContain("#from=pod/client&to=pod/client2&protocol=icmp&ttl=1&step=4");
  });

  it("the packet moves, unless less motion is wanted", async () => {
    for (const [reducedMotion, moves] of [
      ["no-preference", true],
      ["reduce", false],
    ] as const) {
      const page = await open({ hash: `${ASKED}&step=9`, reducedMotion });
      await page.getByRole("heading", { name: "Delivered" }).waitFor();
      let running = 0;
      for (let i = 0; i < 8; i++) {
        await page.keyboard.press("ArrowRight");
        running += await page.locator(".packet").evaluate((packet) => packet.getAnimations().length);
      }
      expect(running > 0).toBe(moves);
      await opened!.close();
    }
    opened = null;
  });

  it("names that look like HTML are text", async () => {
    const name = `<img src=x onerror="document.title='broken'">`;
    const text = "text" in sources[0]! ? sources[0].text : "";
    const odd = text.replace("{role: client}", `{role: ${JSON.stringify(name)}}`);
    const page = await open({
      sources: [{ file: `${name}.yaml`, text: odd }],
      hash: `#from=${name}&to=${name}`,
    });
    expect(await page.getByRole("alert").textContent()).toContain("onerror");
    await page.getByRole("tab", { name: "Topology" }).click();
    await page.locator(".cm-content").waitFor();
    expect(await page.locator(".yaml-tools").textContent()).toContain("onerror");
    await replace(
      page,
      "name: nginxpod",
      `name: ${JSON.stringify(name).replaceAll('"', "'").replaceAll("\\'", '"')}`,
    );
    const fault = page.locator(".faults li").first();
    await fault.waitFor();
    expect(await fault.textContent()).toContain("<img src=x");
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toBe("podpath");
  });
});

/** Replaces the first text that is like `search` in the editor. */
async function replace(page: Page, search: string, wanted: string): Promise<void> {
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Control+f");
  // the search field listens to keys
  await page.keyboard.type(search);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.keyboard.insertText(wanted);
}
