import type { Result, RuleRow } from "./plan.ts";

/** One thing in which podpath and the kernel disagree about a flow. */
export interface Difference {
  readonly field: string;
  readonly kernel: string;
  readonly podpath: string;
}

const show = (value: unknown): string =>
  value === undefined || value === null ? "-" : typeof value === "string" ? value : JSON.stringify(value);

/**
 * Ports that the kernel drew at random may be drawn differently: a port that is not one of the flow's own is shown as
 * `*`, and must then be one in podpath too.
 */
function portMask(flowPorts: ReadonlySet<string>): (text: string) => string {
  return (text) =>
    text.replace(/(\d+\.\d+\.\d+\.\d+):(\d+)/g, (whole, address: string, port: string) =>
      flowPorts.has(port) ? whole : `${address}:*`,
    );
}

/** Verdict, receiver, addresses, TTLs, answers and errors of a flow. */
export function compareFlow(kernel: Result, podpath: Result, ports: ReadonlySet<string>): Difference[] {
  const mask = portMask(ports);
  const differences: Difference[] = [];
  const check = (field: string, k: unknown, p: unknown): void => {
    const a = mask(show(k));
    const b = mask(show(p));
    if (a !== b) differences.push({ field, kernel: a, podpath: b });
  };
  check("verdict", kernel.verdict, podpath.verdict);
  if (kernel.verdict === "dropped")
    check("reason", kernel.reason, kernel.reason === undefined ? undefined : podpath.reason);
  for (const key of ["netns", "source", "destination", "ttl"] as const)
    check(`delivered.${key}`, kernel.delivered?.[key], podpath.delivered?.[key]);
  // a server tells who it is once it has a connection
  if (kernel.reply?.received)
    check("delivered.container", kernel.delivered?.container, podpath.delivered?.container);
  for (const key of ["received", "source", "destination", "ttl"] as const)
    check(`reply.${key}`, kernel.reply?.[key], podpath.reply?.[key]);
  for (const key of ["type", "code", "from", "to", "ttl", "mtu", "about"] as const)
    check(`icmp.${key}`, kernel.icmp?.[key], podpath.icmp?.[key]);
  for (const key of ["from", "ttl", "origin"] as const)
    check(`rst.${key}`, kernel.rst?.[key], podpath.rst?.[key]);
  return differences;
}

/** Rules and policies that decided, each packet's in order. */
export function compareRules(kernel: Result, podpath: Result): Difference | null {
  const text = (rows: readonly RuleRow[]): string => {
    const groups = new Map<string, string[]>();
    for (const row of rows) {
      const key = `${row.of} ${row.netns}`;
      const group = groups.get(key) ?? [];
      group.push(
        `${row.hook}/${row.table}/${row.chain} ${row.rule} ${row.verdict} ${row.iif ?? "-"}>${row.oif ?? "-"}`,
      );
      groups.set(key, group);
    }
    return [...groups]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, group]) => `[${key}] ${group.join("; ")}`)
      .join("\n");
  };
  const k = text(kernel.rules ?? []);
  const p = text(podpath.rules ?? []);
  return k === p ? null : { field: "rules", kernel: k, podpath: p };
}

/** The devices that the packets crossed and how they looked there, each namespace's in order. */
export function comparePaths(kernel: Result, podpath: Result, ports: ReadonlySet<string>): Difference | null {
  const mask = portMask(ports);
  for (const key of ["path", "replyPath", "icmpPath", "rstPath"] as const) {
    const k = byNetns((kernel[key] ?? []).map(mask).map(laterFragment));
    const p = byNetns((podpath[key] ?? []).map(mask).map(laterFragment));
    if (k !== p) return { field: key, kernel: k, podpath: p };
  }
  return null;
}

/** Copies of a flooded frame arrive in their namespaces in any order; within one the order counts. */
function byNetns(lines: readonly string[]): string {
  const groups = new Map<string, string[]>();
  for (const line of lines) {
    const netns = line.slice(0, line.indexOf(" "));
    groups.set(netns, [...(groups.get(netns) ?? []), line]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, group]) => group)
    .join("\n");
}

/** Connections on every node after the flow. */
export function compareConntrack(
  kernel: Result,
  podpath: Result,
  ports: ReadonlySet<string>,
): Difference | null {
  const mask = portMask(ports);
  const text = (result: Result): string =>
    (result.conntrack ?? [])
      .map((row) =>
        mask(
          `${row.netns} ${row.protocol} ${row.state ?? "-"} ${withoutIcmpId(row.original)} ${withoutIcmpId(row.reply)} ${[...row.flags].filter((f) => f !== "ASSURED" || row.protocol === "tcp").join(",")}`,
        ),
      )
      .sort()
      .join("\n");
  const k = text(kernel);
  const p = text(podpath);
  return k === p ? null : { field: "conntrack", kernel: k, podpath: p };
}

const withoutIcmpId = (tuple: string): string => tuple.replace(/ type=.*/, "");

/** Taps share a later fragment's bytes with who rewrites them afterwards, so its addresses and TTL tell nothing. */
const laterFragment = (line: string): string =>
  line.replace(/\w+ \S+ > \S+ ttl \d+ (len \d+ (?:DF )?frag@[1-9])/, "$1");
