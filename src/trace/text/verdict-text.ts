import type { IcmpError, Place, Reply, Trace } from "../trace.ts";

/** Where a packet ended, in words. */
export function placeText(at: Place | null): string {
  if (at === null) return "";
  const parts = [at.netns];
  if (at.device !== null) parts.push(at.device);
  if (at.hook !== null) parts.push([at.hook, at.table].filter((part) => part !== null).join(" "));
  if (at.chain !== null)
    parts.push(at.rule === null ? `policy of ${at.chain}` : `${at.chain} rule ${at.rule}`);
  return parts.join(", ");
}

const ICMP_WORDS: Readonly<Record<string, string>> = {
  "3/0": "net unreachable",
  "3/1": "host unreachable",
  "3/2": "protocol unreachable",
  "3/3": "port unreachable",
  "3/4": "fragmentation needed",
  "3/9": "net prohibited",
  "3/10": "host prohibited",
  "3/13": "filtered",
  "11/0": "time exceeded",
};

const icmpText = ({ type, code, from }: IcmpError): string => {
  const words = ICMP_WORDS[`${type}/${code}`];
  return `${type}/${code}${words === undefined ? "" : ` ${words}`} from ${from}`;
};

/** What never left its sender's socket ended where it began: nobody needs to be told. */
function endingText({ verdict, reason, at }: Pick<Trace, "verdict" | "reason" | "at">): string {
  const where = at !== null && at.device === null && at.hook === null ? "" : placeText(at);
  return [verdict, reason, where === "" ? null : `in ${where}`].filter((part) => part !== null).join(" ");
}

function replyText(reply: Reply): string {
  const ways = `${reply.source} > ${reply.destination} ttl ${reply.ttl}`;
  return reply.verdict === "delivered" ? `delivered as ${ways}` : `${endingText(reply)}, as ${ways}`;
}

/** What the place where it ended says about why. */
function detailOf({ events, at }: Trace): string {
  if (at === null) return "";
  const drop = events.findLast(
    (e) => e.type === "drop" && e.netns === at.netns && e.of.startsWith("request"),
  );
  return drop?.type !== "drop" || drop.detail === null || drop.detail === "REJECT" ? "" : `: ${drop.detail}`;
}

/** The last word on a trace: label and text a line. */
export function verdictLines(trace: Trace): { label: string; text: string; good: boolean }[] {
  const lines: { label: string; text: string; good: boolean }[] = [];
  const { delivered } = trace;
  const good = delivered !== null;
  if (delivered === null) {
    const errno = trace.errno === null ? "" : ` (${trace.errno})`;
    lines.push({ label: "request", text: endingText(trace) + errno + detailOf(trace), good });
  } else {
    const to = delivered.container === null ? delivered.netns : `${delivered.netns} ${delivered.container}`;
    const ways = `${delivered.source} > ${delivered.destination} ttl ${delivered.ttl}`;
    lines.push({ label: "request", text: `delivered to ${to} as ${ways}`, good });
  }
  if (trace.icmp !== null) lines.push({ label: "icmp", text: icmpText(trace.icmp), good: false });
  if (trace.reset !== null)
    lines.push({ label: "reset", text: `${trace.reset.source} > ${trace.reset.destination}`, good: false });
  if (trace.reply !== null)
    lines.push({ label: "reply", text: replyText(trace.reply), good: trace.reply.verdict === "delivered" });
  lines.push({
    label: "rules",
    text: `${trace.rules.length} matched of ${trace.rulesEvaluated} evaluated on the request's way`,
    good: true,
  });
  return lines;
}

/** A trace in one line, for many of them. */
export function oneLine(trace: Trace): string {
  const { request, delivered, reply } = trace;
  const ways = `${request.protocol} ${request.source} > ${request.destination}`;
  if (delivered === null) return `${ways}: ${endingText(trace)}`;
  const to = `delivered to ${delivered.netns} ttl ${delivered.ttl}`;
  const answer =
    reply === null ? "" : `, reply ${reply.verdict === "delivered" ? "delivered" : endingText(reply)}`;
  return `${ways}: ${to}${answer}`;
}

/** How often each outcome came about, most frequent first, with its share. */
export function totalLines(totals: ReadonlyMap<string, number>, count: number): string {
  const rows = [...totals].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const width = String(count).length;
  const lines = rows.map(
    ([outcome, n]) =>
      `${String(n).padStart(width)} ${((100 * n) / count).toFixed(1).padStart(5)} %  ${outcome}\n`,
  );
  return `\n${count} packets\n${lines.join("")}`;
}
