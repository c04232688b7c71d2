import { describe, expect, it } from "vitest";
import { pageOf } from "../../../src/trace/diagram/html/page.ts";
import { layOut } from "../../../src/trace/diagram/layout.ts";
import { escapeText, markup } from "../../../src/trace/diagram/markup.ts";
import { mermaidOf } from "../../../src/trace/diagram/mermaid.ts";
import { svgOf } from "../../../src/trace/diagram/svg/picture.ts";
import { laidOut, REQUESTS } from "./fixture.ts";

const HOSTILE = `"'><img src=x onerror=alert(1)><script>alert(2)</script>&;#end\n%%{init}%%`;

/** Every string of a value, keys excepted, replaced where it says `from`. */
function renamed<T>(value: T, from: string, to: string): T {
  return JSON.parse(JSON.stringify(value), (_, one: unknown) =>
    typeof one === "string" ? one.replaceAll(from, to) : one,
  ) as T;
}

/** Names of the elements of a piece of markup, and all attributes. */
const tagsOf = (text: string): Set<string> =>
  new Set([...text.matchAll(/<\/?([a-zA-Z!][\w:]*)/g)].map(([, name]) => name!.toLowerCase()));
const attributesOf = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/<[a-zA-Z][^<>]*>/g)].flatMap(([tag]) =>
      [...tag.replace(/"[^"]*"/g, '""').matchAll(/\s([\w:-]+)=/g)].map(([, name]) => name!.toLowerCase()),
    ),
  );

describe("pictures and pages", () => {
  it.each(REQUESTS)("%s: a number a hop, well-formed, fetching nothing", async (_, request, topology) => {
    const { diagram, drawing, trace } = await laidOut(request, topology);
    const svg = svgOf(diagram, drawing, trace);
    const page = pageOf(diagram, drawing, trace);
    const hops = diagram.ways.flatMap((way) => way.hops);
    expect(svg.match(/class="number"/g)).toHaveLength(hops.length);
    expect(page.match(/<details/g)).toHaveLength(hops.length);
    for (const { number } of hops) {
      expect(page).toContain(`id="hop-${number}"`);
      expect(page).toContain(`href="#hop-${number}"`);
    }
    for (const text of [svg, page]) {
      expect(unbalanced(text)).toEqual([]);
      const links = [...text.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, url]) => url!);
      expect(links.filter((url) => !url.startsWith("#") && url !== "data:,")).toEqual([]);
      expect(text).not.toMatch(/url\((?!#)|@import|<script/);
      expect(text).toContain("prefers-color-scheme:dark");
    }
    expect(page).toContain("default-src &#39;none&#39;");
    expect(page).toContain("@media print");
  });

  it("shows the packet's headers before and after, changes marked", async () => {
    const { diagram, drawing, trace } = await laidOut({ from: "pod/client", to: "svc/nginx:80" });
    const page = pageOf(diagram, drawing, trace);
    expect(page).toMatch(/<s>192\.168\.25\.10<\/s> <b>192\.168\.9\d\.\d+<\/b>/);
    expect(page).toContain("as it leaves");
    expect(page).toContain('class="layer added"');
  });

  it("shows names as text, whatever they are", async () => {
    const honest = await laidOut({ from: "pod/client", to: "svc/nginx:80" });
    const trace = renamed(renamed(honest.trace, "client", HOSTILE), "KUBE-SERVICES", HOSTILE);
    const diagram = renamed(renamed(honest.diagram, "client", HOSTILE), "KUBE-SERVICES", HOSTILE);
    const drawing = await layOut(diagram);
    for (const make of [svgOf, pageOf]) {
      const good = make(honest.diagram, honest.drawing, honest.trace);
      const bad = make(diagram, drawing, trace);
      expect(tagsOf(bad)).toEqual(tagsOf(good));
      expect(attributesOf(bad)).toEqual(attributesOf(good));
      expect(bad).toContain("&lt;img src=x onerror=alert(1)&gt;");
      expect(unbalanced(bad)).toEqual([]);
    }
    const lines = mermaidOf(diagram, trace).split("\n");
    expect(lines).toHaveLength(mermaidOf(honest.diagram, honest.trace).split("\n").length);
    expect(lines.join("\n")).not.toMatch(/<(?!br\/>)|%%|onerror=alert\(1\)>/);
  });

  it("escapes in templates all that is not markup", () => {
    expect(markup`<a title="${`"'<&>`}">${markup`<b>${1}</b>`}${[markup`<i/>`, markup`<u/>`]}</a>`.text).toBe(
      '<a title="&quot;&#39;&lt;&amp;&gt;"><b>1</b><i/><u/></a>',
    );
    expect(escapeText("a\u0000b\u001bc\ud800d\u{1f600}")).toBe("a\ufffdb\ufffdc\ufffdd\u{1f600}");
  });
});

describe("Mermaid", () => {
  it("has a participant a namespace, an arrow a crossing, a note a change", async () => {
    const { diagram, trace } = await laidOut({ from: "pod/client", to: "svc/nginx:80" });
    const text = mermaidOf(diagram, trace);
    expect(text.split("\n")[0]).toBe("sequenceDiagram");
    expect(text.match(/^ +participant n\d+ as /gm)).toHaveLength(4);
    expect(text.match(/->>/g)).toHaveLength(6);
    expect(text.match(/--/g)).toHaveLength(3);
    expect(text).toContain("destination 192.168.25.10:80 → 192.168.");
    expect(text).toMatch(/Note over n1,n4: delivered\n$/);
  });
});

/** Tags that are opened and not closed, or closed and not opened, in order. */
function unbalanced(text: string): string[] {
  const empty = new Set(["meta", "link", "!doctype"]);
  const open: string[] = [];
  for (const [, slash, name, rest] of text
    .replace(/<style>.*?<\/style>/gs, "")
    .matchAll(/<(\/?)([a-zA-Z!][\w:]*)([^>]*)>/g)) {
    if (empty.has(name!.toLowerCase()) || rest!.endsWith("/")) continue;
    if (slash === "") open.push(name!);
    else if (open.pop() !== name) return [`</${name}>`];
  }
  return open;
}
