import { useEffect, useRef, useState } from "preact/hooks";
import type { FaultView, SourceText, TopologyAnswer } from "../view/api.ts";
import { ApiError, openTopology } from "./client.ts";
import type { Editor } from "./editor.ts";

interface YamlPanelProps {
  /** The texts as they are being edited. */
  readonly draft: readonly SourceText[];
  /** The texts of the topology on the map. */
  readonly applied: readonly SourceText[];
  readonly warnings: readonly FaultView[];
  readonly onDraft: (draft: readonly SourceText[]) => void;
  readonly onApply: (answer: TopologyAnswer, sources: readonly SourceText[]) => void;
  readonly onRevert: () => void;
}

const CHECK_AFTER_MS = 400;
/** Longer texts are checked only when they are to be used: building thousands of pods takes its time. */
const LONG = 400_000;

const textIn = (sources: readonly SourceText[], file: string): string =>
  sources.find((one) => one.file === file)?.text ?? "";

/** A fault in a line; the file's name without its folders. */
const faultText = ({ file, line, object, path, message }: FaultView): string => {
  const what = [object, path].filter((part) => part !== "").join(" ");
  const where = `${file.split("/").at(-1)}${line === null ? "" : `:${line}`}`;
  return [where, what, message].filter((part) => part !== "").join(": ");
};

/** The topology's text, to be edited; what the loader says of it is marked at its line. */
export function YamlPanel({ draft, applied, warnings, onDraft, onApply, onRevert }: YamlPanelProps) {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const [file, setFile] = useState(draft[0]?.file ?? "");
  const [faults, setFaults] = useState<readonly FaultView[]>([]);
  const [status, setStatus] = useState("");
  const latest = useRef({ draft, file, onDraft });
  latest.current = { draft, file, onDraft };
  const apply = async (): Promise<void> => {
    const texts = latest.current.draft;
    setStatus("Building…");
    try {
      const answer = await openTopology(texts);
      setFaults([]);
      setStatus("");
      onApply(answer, texts);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFaults(error.faults);
      setStatus(error.message);
    }
  };
  const marks = useRef<Parameters<Editor["setMarks"]>[0]>([]);
  const applyNow = useRef(apply);
  applyNow.current = apply;
  useEffect(() => {
    let isHere = true;
    import("./editor.ts").then(({ createEditor }) => {
      if (!isHere || place.current === null) return;
      const text = textIn(latest.current.draft, latest.current.file);
      editor.current = createEditor(place.current, text, {
        onText: (changed) => {
          const { draft: texts, file: name, onDraft: tell } = latest.current;
          tell(texts.map((one) => (one.file === name ? { file: name, text: changed } : one)));
        },
        onApply: () => void applyNow.current(),
      });
      editor.current.setMarks(marks.current);
    });
    return () => {
      isHere = false;
      editor.current?.destroy();
      editor.current = null;
    };
  }, []);
  // the editor's text is ahead of the draft while somebody types: only another file's text is put in
  useEffect(() => editor.current?.setText(textIn(latest.current.draft, file)), [file]);
  const isChanged = JSON.stringify(draft) !== JSON.stringify(applied);
  useEffect(() => {
    if (!isChanged || draft.reduce((sum, one) => sum + one.text.length, 0) > LONG) {
      setFaults([]);
      setStatus("");
      return undefined;
    }
    let isCurrent = true;
    const timer = setTimeout(() => {
      openTopology(draft).then(
        () => {
          if (!isCurrent) return;
          setFaults([]);
          setStatus("No faults.");
        },
        (error: Error) => {
          if (!isCurrent) return;
          setFaults(error instanceof ApiError ? error.faults : []);
          setStatus(error.message);
        },
      );
    }, CHECK_AFTER_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [draft, isChanged]);
  const odd = isChanged ? [] : warnings;
  marks.current = [
    ...faults.filter((one) => one.file === file).map((one) => ({ ...one, severity: "error" as const })),
    ...odd.filter((one) => one.file === file).map((one) => ({ ...one, severity: "warning" as const })),
  ];
  useEffect(() => editor.current?.setMarks(marks.current), [faults, odd, file]);
  return (
    <div class="yaml">
      <div class="yaml-tools">
        {draft.length > 1 ? (
          <select
            aria-label="File"
            value={file}
            onChange={({ currentTarget }) => setFile(currentTarget.value)}
          >
            {draft.map((one) => (
              <option key={one.file} value={one.file}>
                {one.file}
              </option>
            ))}
          </select>
        ) : (
          <code class="file">{file.split("/").at(-1)}</code>
        )}
        <span role="status" class={`hint ${faults.length > 0 ? "bad" : ""}`}>
          {status === "" && isChanged ? "Changed" : status}
        </span>
        <button
          type="button"
          disabled={!isChanged}
          onClick={() => {
            onRevert();
            editor.current?.setText(textIn(applied, file));
          }}
        >
          Revert
        </button>
        <button type="button" class="primary" disabled={!isChanged} onClick={() => void apply()}>
          Use and trace again
        </button>
      </div>
      {(faults.length > 0 || odd.length > 0) && (
        <ul class="faults" aria-label={faults.length > 0 ? "Faults" : "Warnings"}>
          {[...faults, ...odd].map((one) => (
            <li key={faultText(one)} class={faults.includes(one) ? "bad" : ""}>
              <button
                type="button"
                class="link"
                onClick={() => {
                  if (one.file !== "" && one.file !== file) setFile(one.file);
                  if (one.line !== null) editor.current?.goTo(one.line);
                }}
              >
                {faultText(one)}
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="editor" ref={place} />
    </div>
  );
}
