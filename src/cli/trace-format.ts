import type { TraceableCluster } from "../trace/cluster.ts";
import { pageOf } from "../trace/diagram/html/page.ts";
import { layOut } from "../trace/diagram/layout.ts";
import { mermaidOf } from "../trace/diagram/mermaid.ts";
import { diagramOf } from "../trace/diagram/model.ts";
import { svgOf } from "../trace/diagram/svg/picture.ts";
import { Capture } from "../trace/pcapng/capture.ts";
import { RequestError } from "../trace/request.ts";
import type { Trace } from "../trace/trace.ts";
import type { Console } from "./console.ts";

/** What `trace -o` can write; the first is the default. */
export const TRACE_FORMATS = ["text", "json", "pcapng", "mermaid", "svg", "html"] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** Formats of one picture. */
export type PictureFormat = "mermaid" | "svg" | "html";

export const isPicture = (format: string): format is PictureFormat =>
  format === "mermaid" || format === "svg" || format === "html";

/**
 * Refuses what a format cannot show: many packets in one picture, bytes on a terminal.
 *
 * @throws RequestError
 */
export function checkFormat(
  format: string,
  { explore, count }: { readonly explore?: boolean; readonly count?: number },
  { outIsTerminal }: Pick<Console, "outIsTerminal">,
): void {
  if (explore && format !== "text" && format !== "json")
    throw new RequestError(`--explore goes with -o text and -o json, not with -o ${format}`);
  if (count !== undefined && isPicture(format))
    throw new RequestError(`-o ${format} is a picture of one packet: leave --count out`);
  if (format === "pcapng" && outIsTerminal)
    throw new RequestError(
      "-o pcapng writes bytes: send them to a file (> trace.pcapng) or a program (| wireshark -k -i -)",
    );
}

/** The trace as a picture. */
export async function picture(
  cluster: TraceableCluster,
  trace: Trace,
  format: PictureFormat,
): Promise<string> {
  const diagram = diagramOf(cluster, trace);
  switch (format) {
    case "mermaid":
      return mermaidOf(diagram, trace);
    case "svg":
      return svgOf(diagram, await layOut(diagram), trace);
    case "html":
      return pageOf(diagram, await layOut(diagram), trace);
  }
}

/** Captures what `send` does, and writes it out. */
export function captured(cluster: TraceableCluster, console: Console): <T>(send: () => T) => T {
  const capture = new Capture(cluster.network);
  return (send) => {
    cluster.network.recorder = capture;
    const result = send();
    console.out(capture.take());
    return result;
  };
}
