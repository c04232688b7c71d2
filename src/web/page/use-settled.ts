import { useEffect, useState } from "preact/hooks";

const SETTLED_MS = 120;

/** A text once nobody has typed on for a moment, so that a field shows its letters at once whatever follows from them. */
export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    if (text === settled) return undefined;
    const timer = setTimeout(() => setSettled(text), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [text, settled]);
  return settled;
}
