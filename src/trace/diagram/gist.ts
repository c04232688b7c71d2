import { BRIEF } from "../text/line.ts";
import type { Trace } from "../trace.ts";
import type { Hop, Moment } from "./model.ts";

/** What matters most of a hop: translations, tunnels, how it ended. */
export const gistOf = ({ moments }: Hop): Moment[] => moments.filter(({ line }) => line.depth === BRIEF);

/** A moment as one line of text. */
export const momentText = ({ line: { label, text } }: Moment): string =>
  [label, text].filter((part) => part !== "").join(" ");

/** Does the packet, and the answer if one was made, arrive? */
export const isGood = ({ verdict, reply }: Trace): boolean =>
  verdict === "delivered" && (reply === null || reply.verdict === "delivered");
