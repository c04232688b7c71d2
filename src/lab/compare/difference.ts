/** One thing in which the two worlds disagree about a flow. */
export interface Difference {
  /** `verdict`, `delivered.ttl`, `conntrack NODE`, `frames NETNS DEVICE tx`, … */
  readonly field: string;
  readonly kernel: string;
  readonly podpath: string;
}

/** A value in words; `-` for nothing. */
const show = (value: unknown): string =>
  value === undefined || value === null ? "-" : typeof value === "string" ? value : JSON.stringify(value);

/** The difference between two values of a field, masked alike; none when they are equal. */
export function compareValue(
  field: string,
  kernel: unknown,
  podpath: unknown,
  mask: (text: string) => string,
): Difference[] {
  const [k, p] = [mask(show(kernel)), mask(show(podpath))];
  return k === p ? [] : [{ field, kernel: k, podpath: p }];
}

/** The difference between two lists of lines: those that only one of them has; all of them where just the order differs. */
export function compareLines(
  field: string,
  kernel: readonly string[],
  podpath: readonly string[],
): Difference[] {
  if (kernel.join("\n") === podpath.join("\n")) return [];
  const [k, p] = [without(kernel, podpath), without(podpath, kernel)];
  const isOrder = k.length === 0 && p.length === 0;
  return [
    {
      field: isOrder ? `${field} (order)` : field,
      kernel: (isOrder ? kernel : k).join("\n") || "-",
      podpath: (isOrder ? podpath : p).join("\n") || "-",
    },
  ];
}

/** The lines of a list that another does not have, as often as it has them more often. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
