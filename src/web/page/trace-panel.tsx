import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { verdictLines } from "../../trace/text/verdict-text.ts";
import type { BranchView } from "../view/api.ts";
import { type Change, changesBetween } from "../view/changes.ts";
import { LEVELS, type Level, type Step } from "../view/steps.ts";
import { Icon } from "./icon.tsx";
import { isSameQuestion, type Result } from "./result.ts";
import { StepView } from "./step-view.tsx";

interface TracePanelProps {
  readonly result: Result | null;
  /** The answer before, when the topology has changed since. */
  readonly previous: Result | null;
  readonly error: string | null;
  readonly steps: readonly Step[];
  readonly position: number;
  readonly level: Level;
  readonly playing: boolean;
  readonly onPosition: (position: number) => void;
  readonly onLevel: (level: Level) => void;
  readonly onPlaying: (playing: boolean) => void;
  readonly onBranch: (branch: number) => void;
  readonly onInside: (netns: string) => void;
}

/** What became of the packet: the last word first, then the steps that led there. */
export function TracePanel(props: TracePanelProps) {
  const { result, previous, error } = props;
  if (error !== null)
    return (
      <div class="message bad" role="alert">
        {error}
      </div>
    );
  if (result === null)
    return (
      <div class="empty-state">
        <h2>Where does a packet go?</h2>
        <p>
          Choose a source and a target, on the map or by typing, and press Trace. The packet's way appears
          here, step by step.
        </p>
      </div>
    );
  const { answer } = result;
  return (
    <>
      <Verdict result={result} />
      {previous !== null && isSameQuestion(previous, result) && <Changes before={previous} after={result} />}
      {answer.branches !== null && (
        <Branches branches={answer.branches} chosen={answer.branch} onBranch={props.onBranch} />
      )}
      <Steps {...props} />
    </>
  );
}

function Verdict({ result }: { result: Result }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { trace } = result.answer;
  useEffect(() => heading.current?.focus({ preventScroll: true }), [result]);
  const isGood =
    trace.verdict === "delivered" && (trace.reply === null || trace.reply.verdict === "delivered");
  return (
    <section class={`verdict ${isGood ? "good" : "bad"}`} aria-label="Outcome">
      <h2 ref={heading} tabIndex={-1}>
        {TITLES[trace.verdict]}
        {trace.reason !== null && <code>{trace.reason}</code>}
      </h2>
      <dl>
        {verdictLines(trace).map(({ label, text }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const TITLES = {
  delivered: "Delivered",
  refused: "Refused",
  rejected: "Rejected",
  dropped: "Dropped",
  expired: "Expired",
  unreachable: "Unreachable",
} as const;

function Branches(props: {
  readonly branches: readonly BranchView[];
  readonly chosen: number;
  readonly onBranch: (branch: number) => void;
}) {
  const { branches, chosen, onBranch } = props;
  // what was clicked is marked at once, though its trace is still to come
  const [clicked, setClicked] = useState(chosen);
  useEffect(() => setClicked(chosen), [chosen, branches]);
  return (
    <fieldset class="branches">
      <legend>
        {branches.length} {branches.length === 1 ? "branch" : "branches"} of chance
      </legend>
      {branches.map(({ probability, fraction, lines, verdict }, i) => (
        <label key={i} class="branch">
          <input
            type="radio"
            name="branch"
            checked={i === clicked}
            onChange={() => {
              setClicked(i);
              onBranch(i);
            }}
          />
          <span class="probability">
            <meter min={0} max={1} value={probability} aria-hidden="true" />
            {(100 * probability).toFixed(1)} %{fraction !== null && <small> {fraction}</small>}
          </span>
          <span class={`outcome ${verdict === "delivered" ? "" : "bad"}`} title={lines[0]?.text}>
            {lines[0]?.text.replace(/^delivered to | as .*$/g, "") ?? verdict}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

const MOST_CHANGES = 40;

function Changes({ before, after }: { before: Result; after: Result }) {
  const changes = useMemo(
    () => changesBetween(before.answer.trace, after.answer.trace),
    [before.answer, after.answer],
  );
  return (
    <section class="changes" aria-label="What changed">
      <h3>{changes.length === 0 ? "Nothing changed since the last trace" : "What changed"}</h3>
      {changes.length > 0 && (
        <ul>
          {changes.slice(0, MOST_CHANGES).map((change, i) => (
            <ChangeItem key={i} {...change} />
          ))}
          {changes.length > MOST_CHANGES && <li>and {changes.length - MOST_CHANGES} more</li>}
        </ul>
      )}
    </section>
  );
}

function ChangeItem({ what, before, after }: Change) {
  return (
    <li>
      <span class="what">{what}</span>
      {before !== null && <del>{before}</del>}
      {after !== null && <ins>{after}</ins>}
    </li>
  );
}

const LEVEL_NAMES: Readonly<Record<Level, string>> = {
  brief: "Key steps",
  normal: "What decided",
  every: "Every step",
};

function Steps(props: TracePanelProps) {
  const { steps, position, level, playing, onPosition, onLevel, onPlaying, onInside } = props;
  const list = useRef<HTMLOListElement>(null);
  const current = steps[position];
  useEffect(() => {
    const item = list.current?.querySelector<HTMLElement>('[aria-current="step"]');
    const box = list.current;
    if (item == null || box === null) return;
    // only the list is scrolled, never the page
    const top = item.offsetTop - box.offsetTop;
    if (top < box.scrollTop || top + item.offsetHeight > box.scrollTop + box.clientHeight)
      box.scrollTop = top - box.clientHeight / 3;
  }, [position, steps]);
  const items = useMemo(
    () =>
      steps.map((step, i) => ({
        step,
        isNewPlace: steps[i - 1]?.netns !== step.netns || steps[i - 1]?.of !== step.of,
      })),
    [steps],
  );
  const { length } = steps;
  return (
    <section class="steps" aria-label="Steps">
      <div class="step-tools">
        <button type="button" aria-label="First step" disabled={position <= 0} onClick={() => onPosition(0)}>
          <Icon name="first" />
        </button>
        <button
          type="button"
          aria-label="Step back"
          aria-keyshortcuts="ArrowLeft ,"
          disabled={position <= 0}
          onClick={() => onPosition(position - 1)}
        >
          <Icon name="back" />
        </button>
        <button type="button" aria-label={playing ? "Pause" : "Play"} onClick={() => onPlaying(!playing)}>
          <Icon name={playing ? "pause" : "play"} />
        </button>
        <button
          type="button"
          aria-label="Step forward"
          aria-keyshortcuts="ArrowRight ."
          disabled={position >= length - 1}
          onClick={() => onPosition(position + 1)}
        >
          <Icon name="forward" />
        </button>
        <button
          type="button"
          aria-label="Last step"
          disabled={position >= length - 1}
          onClick={() => onPosition(length - 1)}
        >
          <Icon name="last" />
        </button>
        <span class="step-count">
          {length === 0 ? 0 : position + 1} of {length}
        </span>
        <select
          aria-label="Detail"
          value={level}
          onChange={({ currentTarget }) => onLevel(currentTarget.value as Level)}
        >
          {LEVELS.map((one) => (
            <option key={one} value={one}>
              {LEVEL_NAMES[one]}
            </option>
          ))}
        </select>
      </div>
      <div role="status" class="now">
        {current !== undefined && <StepView step={current} onInside={onInside} />}
      </div>
      <p class="keys">
        Keys: <kbd>←</kbd> <kbd>→</kbd> or <kbd>,</kbd> <kbd>.</kbd> step, <kbd>Home</kbd> <kbd>End</kbd>{" "}
        first and last, <kbd>Space</kbd> plays.
      </p>
      <ol
        class="step-list"
        ref={list}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys
        tabIndex={0}
        aria-label="All steps"
      >
        {items.map(({ step, isNewPlace }, i) => (
          <li key={step.index} class={`tone-${step.tone}${step.outer ? " outer" : ""}`}>
            {isNewPlace && (
              <p class="place">
                <span class={`role ${step.of}`}>{step.of}</span> {step.netns}
              </p>
            )}
            <button
              type="button"
              tabIndex={-1}
              aria-current={i === position ? "step" : undefined}
              onClick={() => onPosition(i)}
            >
              {step.words}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
