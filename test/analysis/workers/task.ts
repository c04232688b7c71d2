/** A worker that does what it is told: doubles a number, throws, leaves or knows its data. */
import { workerData } from "piscina";

export type Task = { readonly double: number } | "throw" | "leave" | "data";

export default function act(task: Task): unknown {
  if (typeof task === "object") return 2 * task.double;
  switch (task) {
    case "throw":
      throw new RangeError("no such number");
    case "leave":
      return process.exit(3);
    case "data":
      return workerData;
  }
}
