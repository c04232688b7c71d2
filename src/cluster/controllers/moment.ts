/** Times of objects: whole seconds since 1970, written as RFC 3339 in UTC (`metav1.Time`). */

/** `2017-11-06T12:52:23Z`. */
export function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Seconds of a written time; null when there is none. */
export function secondsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}
