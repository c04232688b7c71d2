/** What is wrong with a topology, one line a fault, and where. */
import type { Path } from "../../cluster/objects/validate.ts";
import { formatPath } from "../../cluster/objects/validate.ts";

/** One fault, or one warning. `line` counts from 1; it is null when the file itself cannot be read. */
export interface Fault {
  file: string;
  line: number | null;
  /** Field path such as `spec.ports[0].nodePort`; "" when the object or document as a whole is meant. */
  path: string;
  /** `Kind/name`, `Kind` for an object without a name, "" when no object is meant. */
  object: string;
  message: string;
}

/** `FILE:LINE: Kind/name field.path: text`, without the parts that are absent. */
export function formatFault({ file, line, path, object, message }: Fault): string {
  const where = line === null ? file : `${file}:${line}`;
  const what = [object, path].filter((part) => part !== "").join(" ");
  return what === "" ? `${where}: ${message}` : `${where}: ${what}: ${message}`;
}

/** Thrown when a topology cannot be used. Carries every fault found; its message is one line a fault. */
export class TopologyError extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(formatFault).join("\n"));
    this.name = "TopologyError";
    this.faults = faults;
  }
}

/** A fault of a whole file or document. */
export function documentFault(file: string, line: number | null, message: string): Fault {
  return { file, line, path: "", object: "", message };
}

/** A fault of a field. */
export function fieldFault(
  at: { file: string; line: number; object: string },
  path: Path,
  message: string,
): Fault {
  return { ...at, path: formatPath(path), message };
}
