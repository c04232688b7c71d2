/** Label selectors as `-l` takes them: `a=b,c!=d,e in (f,g),!h`. */
import { type Labels, meets, type Requirement } from "../../cluster/controllers/label-selector.ts";
import { CommandError } from "../session/command.ts";

/** A test of labels. Throws CommandError for a text that is no selector. */
export function labelTest(text: string | undefined): (labels: Labels | undefined) => boolean {
  if (text === undefined || text === "") return () => true;
  const requirements = text
    .split(/,(?![^(]*\))/)
    .filter((part) => part.trim() !== "")
    .map(requirement);
  return (labels) => requirements.every((one) => meets(one, labels ?? {}));
}

function requirement(text: string): Requirement {
  const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(text);
  if (set !== null) {
    const values = set[3]!.split(",").map((value) => value.trim());
    return { key: set[1]!, operator: set[2] === "in" ? "In" : "NotIn", values };
  }
  const pair = /^\s*([^=!\s]+)\s*(==|=|!=)\s*(\S*)\s*$/.exec(text);
  if (pair !== null)
    return { key: pair[1]!, operator: pair[2] === "!=" ? "NotIn" : "In", values: [pair[3]!] };
  const bare = /^\s*(!?)([\w./-]+)\s*$/.exec(text);
  if (bare !== null) return { key: bare[2]!, operator: bare[1] === "!" ? "DoesNotExist" : "Exists" };
  throw new CommandError(`error: unable to parse requirement: ${text}`);
}

/** `k=v,k=v` in order of keys, or `<none>`. */
export function labelsText(labels: Labels | undefined): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? "<none>" : pairs.map(([key, value]) => `${key}=${value}`).join(",");
}
