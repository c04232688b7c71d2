import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Question } from "../view/api.ts";
import { type Level, stepsAt } from "../view/steps.ts";
import { fetchTrace, type Topic } from "./client.ts";
import { type Result, resultOf } from "./result.ts";

const PLAY_MS = 1300;

/** The trace that is shown, where its reader is, and the one before it. */
export interface TraceState {
  readonly result: Result | null;
  readonly previous: Result | null;
  readonly error: string | null;
  readonly busy: boolean;
  readonly level: Level;
  readonly steps: ReturnType<typeof stepsAt>;
  readonly position: number;
  readonly last: ReturnType<typeof stepsAt>[number] | null;
  readonly playing: boolean;
  readonly ask: (
    topic: Topic,
    question: Question,
    explore: boolean,
    branch: number,
    step: number,
  ) => Promise<void>;
  readonly goTo: (position: number) => void;
  readonly setLevel: (level: Level) => void;
  readonly setPlaying: (playing: boolean) => void;
}

/** Asks, and leads through the answer's steps. */
export function useTrace(): TraceState {
  const [shown, setShown] = useState<{ result: Result | null; previous: Result | null; topology: string }>({
    result: null,
    previous: null,
    topology: "",
  });
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [level, setLevelOnly] = useState<Level>("normal");
  const [{ position, before }, setPlace] = useState({ position: 0, before: 0 });
  const [playing, setPlaying] = useState(false);
  const turn = useRef(0);
  const { result, previous } = shown;
  const steps = useMemo(() => stepsAt(result?.steps ?? [], level), [result, level]);
  const ask: TraceState["ask"] = async (topic, question, explore, branch, step) => {
    const mine = ++turn.current;
    setBusy(true);
    setPlaying(false);
    try {
      const answer = await fetchTrace(topic, question, { explore, branch });
      if (mine !== turn.current) return;
      const next = resultOf(question, explore, answer);
      const start = Math.min(step, stepsAt(next.steps, level).length) - 1;
      setShown((old) => ({
        result: next,
        previous: old.topology !== topic.id ? old.result : null,
        topology: topic.id,
      }));
      setPlace({ position: Math.max(0, start), before: Math.max(0, start) });
      setError(null);
    } catch (reason) {
      if (mine !== turn.current) return;
      setError((reason as Error).message);
    } finally {
      if (mine === turn.current) setBusy(false);
    }
  };
  const goTo = (to: number): void => {
    setPlace((old) => ({ position: Math.min(Math.max(0, to), steps.length - 1), before: old.position }));
  };
  const setLevel = (next: Level): void => {
    // stays at the same event, or the last one before it that is told
    const at = steps[position]?.index ?? 0;
    const found = stepsAt(result?.steps ?? [], next).findLastIndex(({ index }) => index <= at);
    setLevelOnly(next);
    setPlace({ position: Math.max(0, found), before: Math.max(0, found) });
  };
  useEffect(() => {
    if (!playing) return undefined;
    if (position >= steps.length - 1) {
      setPlaying(false);
      return undefined;
    }
    const timer = setTimeout(() => goTo(position + 1), PLAY_MS);
    return () => clearTimeout(timer);
  }, [playing, position, steps]);
  const play = (next: boolean): void => {
    if (next && position >= steps.length - 1) setPlace({ position: 0, before: 0 });
    setPlaying(next);
  };
  const last = steps[before] ?? null;
  return {
    result,
    previous,
    error,
    busy,
    level,
    steps,
    position,
    last,
    playing,
    ask,
    goTo,
    setLevel,
    setPlaying: play,
  };
}
