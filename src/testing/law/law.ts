import { renderTrace } from "../../trace/text/render.ts";
import type { Trace } from "../../trace/trace.ts";

/** A law of the network does not hold. The message is what was expected, and the trace of the packet that broke it. */
export class LawBroken extends Error {
  readonly trace: Trace | null;

  constructor(message: string, trace: Trace | null = null) {
    super(
      trace === null
        ? message
        : `${message}\n\n${renderTrace(trace, { verbose: false, color: false, width: 100 })}`,
    );
    this.name = "LawBroken";
    this.trace = trace;
  }
}
