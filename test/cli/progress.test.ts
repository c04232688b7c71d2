import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Console } from "../../src/cli/console.ts";
import { finishing, ReadingProgress } from "../../src/cli/progress.ts";

let said = "";

const console = (errIsTerminal: boolean): Console => ({
  out: () => undefined,
  err: (text) => {
    said += text;
  },
  outIsTerminal: false,
  errIsTerminal,
  columns: undefined,
  noColor: true,
});

beforeEach(() => {
  said = "";
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Reads two files of three documents, each of which takes a second. */
function read(terminal: boolean): void {
  const progress = new ReadingProgress(console(terminal));
  finishing(progress, () => {
    for (const file of ["a.yaml", "b.yaml"])
      for (let i = 1; i <= 3; i++) {
        vi.advanceTimersByTime(1000);
        progress.reached(file, i, 3);
      }
  });
}

describe("reading that takes long", () => {
  it("is told of on a terminal after two seconds, file by file, and leaves nothing behind", () => {
    read(true);
    const clear = "\r\u001b[K";
    expect(said).toBe(
      `\rreading a.yaml 2/3\rreading a.yaml 3/3${clear}\rreading b.yaml 1/3\rreading b.yaml 2/3\rreading b.yaml 3/3${clear}`,
    );
  });

  it("fits a narrow terminal whatever the file's path is", () => {
    const progress = new ReadingProgress(console(true));
    vi.advanceTimersByTime(3000);
    progress.reached(`/very/long/folder/${"name-".repeat(30)}.yaml`, 1, 1000);
    progress.finish();
    expect(Math.max(...said.split("\r").map((line) => line.length))).toBeLessThan(80);
    expect(said).toContain("reading name-name-");
  });

  it("is not told of where nobody sits", () => {
    read(false);
    expect(said).toBe("");
  });
});
