/** iptables' commands as programs on a node give them, in the form of lines of iptables-restore's input. */

export type TableName = "raw" | "mangle" | "nat" | "filter";

/** One command: `-I POSTROUTING -s … -j MASQUERADE`, `-P FORWARD DROP`, `-N DOCKER`; rules as `iptables-save` words them. */
export interface RuleCommand {
  readonly table: TableName;
  readonly line: string;
}

const ORDER: readonly TableName[] = ["raw", "mangle", "nat", "filter"];

/** A maker of commands of one table. */
export const commandsOf =
  (table: TableName) =>
  (...lines: readonly string[]): RuleCommand[] =>
    lines.map((line) => ({ table, line }));

/**
 * The commands as one input for `iptables-restore --noflush`, which leaves the tables as the commands one after the
 * other would: tables do not hear of each other, and within a table the order stays.
 */
export function restoreInput(commands: readonly RuleCommand[]): string {
  const lines: string[] = [];
  for (const table of ORDER) {
    const own = commands.filter((command) => command.table === table);
    if (own.length > 0) lines.push(`*${table}`, ...own.map(({ line }) => line), "COMMIT");
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}
