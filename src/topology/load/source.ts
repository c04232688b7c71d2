/** Where topologies come from: files, folders of files, standard input. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The text of one file, or why it cannot be had. `file` is the name messages use. */
export type Source = { file: string; text: string } | { file: string; error: string };

/** Name of standard input in messages. */
const STDIN = "<stdin>";

/** Path of a topology that comes with the package, by name: `two-workers` (used when nobody names one), `seed`, `vxlan`, `host-gw`. */
export function builtInTopology(name = "two-workers"): string {
  return fileURLToPath(new URL(`../../../topologies/${name}.yaml`, import.meta.url));
}

const EXTENSION = /\.(ya?ml|json)$/;

/**
 * Reads what `-f` names: files, folders (their .yaml, .yml and .json files in order of name, not what lies below), and
 * `-` for standard input. Never throws: what cannot be read becomes a source with an error.
 */
export function readSources(
  paths: readonly string[],
  readStdin: () => Buffer = () => readFileSync(0),
): Source[] {
  return paths.flatMap((path) => (path === "-" ? [readOne(STDIN, readStdin)] : readPath(path)));
}

function readPath(path: string): Source[] {
  try {
    if (!statSync(path).isDirectory()) return [readOne(path, () => readFileSync(path))];
    const files = readdirSync(path)
      .filter((name) => EXTENSION.test(name))
      .sort();
    if (files.length === 0) return [{ file: path, error: "no .yaml, .yml or .json file in this folder" }];
    return files.map((name) => join(path, name)).map((file) => readOne(file, () => readFileSync(file)));
  } catch (error) {
    return [{ file: path, error: reasonOf(error) }];
  }
}

function readOne(file: string, read: () => Buffer): Source {
  try {
    return { file, text: new TextDecoder("utf-8", { fatal: true }).decode(read()) };
  } catch (error) {
    return { file, error: reasonOf(error) };
  }
}

const REASONS: Record<string, string> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EISDIR: "is a folder",
  ERR_ENCODING_INVALID_ENCODED_DATA: "is not UTF-8 text",
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ""] ?? `cannot be read: ${message}`;
}
