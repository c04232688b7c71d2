import { ClassList, type Reach, type ReachRow } from "./result.ts";

/** Parts that do not make a whole; the message says why. */
export class MergeError extends RangeError {
  constructor(message: string) {
    super(message);
    this.name = "MergeError";
  }
}

/** A part and the name it is complained of by. */
export interface Part {
  readonly name: string;
  readonly reach: Reach;
}

/**
 * Puts the parts of one reach together: the same, to the letter, as if it had been done in one piece.
 *
 * @throws MergeError when a part is missing, comes twice, or is of another cluster.
 */
export function mergeReach(parts: readonly Part[]): Reach {
  const [first] = parts;
  if (first === undefined) throw new MergeError("there is nothing to merge");
  const count = first.reach.shard?.count ?? 1;
  const byIndex = new Map<number, Part>();
  for (const part of parts) {
    const { shard, digest, seed, cluster } = part.reach;
    if (digest !== first.reach.digest || seed !== first.reach.seed)
      throw new MergeError(
        `${part.name} is of another cluster or seed (${cluster}, ${seed}) than ${first.name}`,
      );
    if ((shard?.count ?? 1) !== count)
      throw new MergeError(
        `${part.name} is one of ${shard?.count ?? 1} parts, ${first.name} one of ${count}`,
      );
    const index = shard?.index ?? 0;
    const twice = byIndex.get(index);
    if (twice !== undefined) throw new MergeError(`${part.name} and ${twice.name} are both part ${index}`);
    byIndex.set(index, part);
  }
  const missing = Array.from({ length: count }, (_, i) => i).filter((i) => !byIndex.has(i));
  if (missing.length > 0) throw new MergeError(`of ${count} parts, ${missing.join(", ")} are missing`);
  return joinParts(parts.map(({ reach }) => reach));
}

/** The rows of parts by target, whatever order the parts are in; each target's rows are all in one part. */
export function joinParts(parts: readonly Reach[]): Reach {
  const classes = new ClassList();
  const rows = parts
    .flatMap((part) => {
      // by the part's own numbers: lists of many names are long to compare
      const numbers = new Map<number, number>();
      return part.rows.map((row) => ({ row, part, numbers }));
    })
    .sort((a, b) => a.row.target - b.row.target)
    .map(({ row, part, numbers }): ReachRow => {
      let from = numbers.get(row.from);
      if (from === undefined) {
        from = classes.number(part.classes[row.from]!);
        numbers.set(row.from, from);
      }
      return { ...row, from };
    });
  return { ...parts[0]!, shard: null, classes: classes.all, rows };
}
