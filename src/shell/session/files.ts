/** Files that commands read and write: what is written stays in memory, what is not there is read from the folder. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** See the file's head. Paths are relative to the folder, or absolute inside the session only. */
export class Files {
  private readonly folder: string;
  private readonly written = new Map<string, string>();

  /** `given`: files that are there from the beginning, by path. */
  constructor(folder: string, given: Readonly<Record<string, string>> = {}) {
    this.folder = folder;
    for (const [path, text] of Object.entries(given)) this.written.set(path, text);
  }

  /** The text, or why it cannot be had (`No such file or directory`). */
  read(path: string): { text: string } | { error: string } {
    const written = this.written.get(path);
    if (written !== undefined) return { text: written };
    try {
      return { text: readFileSync(join(this.folder, path), "utf8") };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return { error: code === "EISDIR" ? "Is a directory" : "No such file or directory" };
    }
  }

  write(path: string, text: string): void {
    this.written.set(path, text);
  }

  append(path: string, text: string): void {
    const before = this.read(path);
    this.write(path, ("text" in before ? before.text : "") + text);
  }

  /** Removes what the session has written; false when there is nothing of that name. */
  remove(path: string): boolean {
    return this.written.delete(path);
  }

  /** Names in the folder, in order. */
  list(): string[] {
    const names = new Set([...this.written.keys()].filter((path) => !path.startsWith("/")));
    try {
      for (const name of readdirSync(this.folder)) names.add(name);
    } catch {
      // a folder that cannot be read has nothing to offer
    }
    return [...names].filter((name) => !name.startsWith(".")).sort();
  }
}
