import Table from "cli-table3";
import type { BenchRequest, BenchRow } from "./bench.ts";

/** One column: its heading, and what stands in it. `decimals` for numbers in tables. */
interface Column {
  readonly name: string;
  readonly heading: string;
  readonly value: (row: BenchRow) => string | number | null;
  readonly decimals: number;
}

const column = (name: string, heading: string, value: Column["value"], decimals = 0): Column => ({
  name,
  heading,
  value,
  decimals,
});

/** In the order of CSV; those with a heading are the table's. */
const COLUMNS: readonly Column[] = [
  column("mode", "mode", (row) => row.mode),
  column("services", "Services", (row) => row.services),
  column("endpoints", "endpoints", (row) => row.endpoints),
  column("first_rules_mean", "first packet:\nrules mean", (row) => row.firstPacketRules.mean, 1),
  column("first_rules_p50", "p50", (row) => row.firstPacketRules.p50),
  column("first_rules_p99", "p99", (row) => row.firstPacketRules.p99),
  column("first_rules_worst", "worst", (row) => row.firstPacketRules.worst),
  column("first_lookups_mean", "look-ups", (row) => row.firstPacketLookups, 1),
  column("established_rules_mean", "later packet:\nrules", (row) => row.establishedPacketRules, 1),
  column("first_us_mean", "first packet:\nµs mean", (row) => row.firstPacketUs.mean, 1),
  column("first_us_p50", "", (row) => row.firstPacketUs.p50, 1),
  column("first_us_p99", "µs p99", (row) => row.firstPacketUs.p99, 1),
  column("first_us_worst", "", (row) => row.firstPacketUs.worst, 1),
  column("established_us_mean", "later:\nµs", (row) => row.establishedPacketUs, 1),
  column("rules", "rules\nin all", (row) => row.rulesInSet),
  column("sync_bytes_full", "full sync:\nbytes", (row) => row.syncBytes.full),
  column("sync_bytes_one_endpoint", "one endpoint:\nbytes", (row) => row.syncBytes.oneEndpoint),
  column("conntrack_entries", "entries\na flow", (row) => row.conntrackEntries, 1),
  column("simulator_new_flows_per_s", "simulator:\nnew flows/s", (row) => row.simulator?.newFlows ?? null),
  column("simulator_packets_per_s", "packets/s", (row) => row.simulator?.established ?? null),
];

/** Three digits behind the point are more than any figure here is good for. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;

function cell(value: string | number | null, decimals: number): string {
  if (value === null) return "";
  return typeof value === "string" ? value : value.toFixed(decimals);
}

/** A table for people, and below it where the costs come from. */
export function benchTable(rows: readonly BenchRow[], { costs, placement }: BenchRequest): string {
  const shown = COLUMNS.filter(
    ({ heading, value }) => heading !== "" && rows.some((row) => value(row) !== null),
  );
  const table = new Table({
    head: shown.map(({ heading }) => heading),
    colAligns: shown.map(({ name }) => (name === "mode" ? "left" : "right")),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push(shown.map(({ value, decimals }) => cell(value(row), decimals)));
  const where = placement === "same-node" ? "one node" : "two nodes, both counted";
  return `${table.toString()}
pod to ClusterIP to pod, ${where}; counts by sending packets through the simulated kernels, µs by the cost model:
a rule ${costs.iptablesRuleNs} ns (nftables ${costs.nftablesRuleNs}), a look-up ${costs.lookupNs}, a connection ${costs.conntrackInsertNs}, a packet ${costs.packetNs} (${costs.source})
`;
}

/** RFC 4180, one line a combination. */
export function benchCsv(rows: readonly BenchRow[]): string {
  const lines = rows.map((row) =>
    COLUMNS.map(({ value }) => {
      const one = value(row);
      return typeof one === "number" ? String(rounded(one)) : (one ?? "");
    }).join(","),
  );
  return `${[COLUMNS.map(({ name }) => name).join(","), ...lines].join("\r\n")}\r\n`;
}

/** One JSON document: the request, its cost model among it, and a row a combination. */
export function benchJson(rows: readonly BenchRow[], request: BenchRequest): string {
  const round = (_key: string, value: unknown): unknown =>
    typeof value === "number" ? rounded(value) : value;
  const document = { apiVersion: "podpath.dev/v1alpha1", kind: "Bench", request, rows };
  return `${JSON.stringify(document, round, 2)}\n`;
}
