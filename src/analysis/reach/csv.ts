import type { Reach } from "./result.ts";

const COLUMNS = ["to", "protocol", "kind", "of", "from", "senders", "delivered", "answered", "because"];

/** A line a target and class of senders (RFC 4180); `from` is the one that was traced, `senders` how many there are. */
export function reachCsv({ rows, classes }: Reach): string {
  const lines = rows.map(({ to, protocol, kind, of, from, delivered, answered, because }) => {
    const reasons = because.map(({ probability, text }) => `${probability} ${text}`).join("; ");
    const names = classes[from]!;
    return [to, protocol, kind, of, names[0]!, names.length, delivered, answered, reasons];
  });
  return [COLUMNS, ...lines].map((line) => `${line.map(field).join(",")}\r\n`).join("");
}

const field = (value: string | number): string =>
  typeof value === "string" && /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : String(value);
