/** A question as the part of a link after `#`: what the address bar shows, and what can be sent to somebody else. */
import type { Question } from "./api.ts";

/** What a link carries. `step` counts from 1. */
export interface Linked {
  readonly question: Question;
  readonly explore: boolean;
  readonly branch: number;
  readonly step: number;
}

const PROTOCOLS = ["tcp", "udp", "icmp", "sctp"] as const;

/** Without the `#`. What has its default is left out. */
export function linkOf({ question, explore, branch, step }: Linked): string {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(question))
    if (value !== undefined && value !== "") words.set(key, String(value));
  if (explore) words.set("explore", "true");
  if (explore && branch > 0) words.set("branch", String(branch));
  if (step > 1) words.set("step", String(step));
  // slashes and colons are allowed in a fragment, and easier to read
  return words.toString().replaceAll("%2F", "/").replaceAll("%3A", ":");
}

/** What a link says; what it says wrongly counts as unsaid. Null when it has no question. */
export function readLink(fragment: string): Linked | null {
  const words = new URLSearchParams(fragment.replace(/^#/, ""));
  const from = words.get("from");
  const to = words.get("to");
  if (from === null || to === null) return null;
  const number = (key: string, least: number, most: number): number | null => {
    const text = words.get(key);
    const value = Number(text);
    return text !== null && /^\d{1,6}$/.test(text) && value >= least && value <= most ? value : null;
  };
  const protocol = PROTOCOLS.find((one) => one === words.get("protocol"));
  const sourcePort = number("sourcePort", 1, 65535);
  const ttl = number("ttl", 1, 255);
  const size = number("size", 0, 65515);
  return {
    question: {
      from,
      to,
      ...(protocol === undefined ? {} : { protocol }),
      ...(sourcePort === null ? {} : { sourcePort }),
      ...(ttl === null ? {} : { ttl }),
      ...(size === null ? {} : { size }),
      ...(words.get("dontFragment") === "true" ? { dontFragment: true } : {}),
      ...(words.get("reply") === "false" ? { reply: false } : {}),
    },
    explore: words.get("explore") === "true",
    branch: number("branch", 0, 999_999) ?? 0,
    step: number("step", 1, 999_999) ?? 1,
  };
}
