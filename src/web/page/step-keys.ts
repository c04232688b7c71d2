import { useEffect, useRef } from "preact/hooks";
import type { TraceState } from "./use-trace.ts";

/** Elements that have a use of their own for the keys. */
const OWN_KEYS = "input, select, textarea, [contenteditable], [role=tablist], [role=dialog]";

/** Keys step through the trace wherever they have no other use. */
export function useStepKeys(trace: TraceState): void {
  const latest = useRef(trace);
  latest.current = trace;
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const { steps, position, playing, goTo, setPlaying } = latest.current;
      const target = event.target as HTMLElement;
      if (steps.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest(OWN_KEYS) !== null) return;
      const to = {
        ArrowRight: position + 1,
        ".": position + 1,
        ArrowLeft: position - 1,
        ",": position - 1,
        Home: 0,
        End: steps.length - 1,
      }[event.key];
      if (to !== undefined) {
        event.preventDefault();
        goTo(to);
      } else if (event.key === " " && target.closest("button, summary, a") === null) {
        event.preventDefault();
        setPlaying(!playing);
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}
