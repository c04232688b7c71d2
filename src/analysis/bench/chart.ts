import { parse, View, Warn as WARN } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { BenchRequest, BenchRow } from "./bench.ts";

/** Colours that people with any colour vision tell apart (Okabe and Ito), one a mode. */
const COLOURS = { iptables: "#d55e00", ipvs: "#009e73", nftables: "#0072b2" } as const;

const FONT = "DejaVu Sans, Verdana, sans-serif";

interface Point {
  readonly mode: string;
  readonly services: number;
  readonly endpoints: string;
  readonly figure: string;
  readonly value: number;
}

const FIGURES = [
  { figure: "first packet, µs (mean)", value: (row: BenchRow) => row.firstPacketUs.mean },
  { figure: "rules a first packet walks (worst)", value: (row: BenchRow) => row.firstPacketRules.worst },
  { figure: "bytes of a full sync", value: (row: BenchRow) => row.syncBytes.full },
  { figure: "bytes after one endpoint changed", value: (row: BenchRow) => row.syncBytes.oneEndpoint },
] as const;

/** Small charts, one a figure, over the number of Services on logarithmic axes. */
function specification(rows: readonly BenchRow[], request: BenchRequest): TopLevelSpec {
  const values: Point[] = rows.flatMap((row) =>
    FIGURES.map(({ figure, value }) => ({
      mode: row.mode,
      services: row.services,
      endpoints: `${row.endpoints} endpoint${row.endpoints === 1 ? "" : "s"}`,
      figure,
      value: value(row),
    })),
  );
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    title: {
      text: "What service routing costs, by proxy mode",
      subtitle: ["counted in the simulator; microseconds by", request.costs.source],
      anchor: "start",
      offset: 12,
    },
    data: { values },
    facet: { field: "figure", type: "nominal", title: null, sort: FIGURES.map(({ figure }) => figure) },
    columns: 2,
    spec: {
      width: 330,
      height: 220,
      mark: { type: "line", point: true },
      encoding: {
        x: {
          field: "services",
          type: "quantitative",
          title: "Services",
          scale: { type: "log" },
          axis: { tickCount: 4 },
        },
        y: {
          field: "value",
          type: "quantitative",
          title: null,
          scale: { type: "log" },
          axis: { tickCount: 4 },
        },
        color: {
          field: "mode",
          type: "nominal",
          title: "mode",
          scale: { domain: [...request.modes], range: request.modes.map((mode) => COLOURS[mode]) },
        },
        strokeDash: { field: "endpoints", type: "nominal", title: "a Service" },
      },
    },
    resolve: { scale: { y: "independent" } },
    config: {
      font: FONT,
      axis: { grid: true, gridColor: "#e5e5e5", labelFlush: false },
      header: { labelFontSize: 12, labelFontWeight: "bold", labelAnchor: "start" },
    },
  };
}

/** The charts as one SVG document. */
export async function benchChart(rows: readonly BenchRow[], request: BenchRequest): Promise<string> {
  const { spec } = compile(specification(rows, request));
  const view = new View(parse(spec), { renderer: "none", logLevel: WARN });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}
