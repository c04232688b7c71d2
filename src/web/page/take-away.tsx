import { useState } from "preact/hooks";
import { fetchDownload, type Topic } from "./client.ts";
import type { Result } from "./result.ts";

interface TakeAwayProps {
  readonly topic: Topic;
  readonly result: Result | null;
  /** Extensions of the files that can be had. */
  readonly formats: readonly string[];
}

const NAMES: Readonly<Record<string, string>> = { json: "JSON", pcapng: "pcapng", svg: "SVG", html: "HTML" };

/** The answer as a file, the question as a link. */
export function TakeAway({ topic, result, formats }: TakeAwayProps) {
  const [said, setSaid] = useState("");
  const download = async (format: string): Promise<void> => {
    if (result === null) return;
    const { question, explore, answer } = result;
    try {
      const blob = await fetchDownload(topic, question, { explore, branch: answer.branch }, format);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `trace.${format}`;
      link.click();
      URL.revokeObjectURL(link.href);
      setSaid("");
    } catch (error) {
      setSaid((error as Error).message);
    }
  };
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(location.href);
      setSaid("Link copied");
    } catch {
      setSaid("The link is in the address bar");
    }
  };
  return (
    <div class="take-away">
      {formats.map((format) => (
        <button key={format} type="button" disabled={result === null} onClick={() => void download(format)}>
          <span class="visually-hidden">Download </span>
          {NAMES[format] ?? format}
        </button>
      ))}
      <button type="button" disabled={result === null} onClick={() => void copy()}>
        Copy link
      </button>
      <span role="status" class="hint">
        {said}
      </span>
    </div>
  );
}
