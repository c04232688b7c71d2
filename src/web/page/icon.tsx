const PATHS = {
  first: "M3 3v10M13 3 6 8l7 5z",
  back: "M11 3 4 8l7 5z",
  forward: "M5 3l7 5-7 5z",
  last: "M13 3v10M3 3l7 5-7 5z",
  play: "M2 3l6 5-6 5zM9 3l6 5-6 5z",
  pause: "M5 3v10M11 3v10",
} as const;

/** A sign on a button, whose name is the button's label. */
export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="sign" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
