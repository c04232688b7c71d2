type Palette = Readonly<Record<string, string>>;

const LIGHT: Palette = {
  ground: "#ffffff",
  surface: "#f6f8fa",
  raised: "#ffffff",
  pod: "#e8f1fd",
  host: "#f3eefc",
  bar: "#dfe4ea",
  ink: "#1c2430",
  quiet: "#57616e",
  line: "#b6bfca",
  faint: "#d5dbe2",
  request: "#0b62c4",
  reply: "#14793c",
  trouble: "#a6410a",
  good: "#14793c",
  bad: "#b3261e",
  change: "#fff1c7",
  "change-ink": "#5f4700",
  tunnel: "#6f3fb5",
};

const DARK: Palette = {
  ground: "#0e1319",
  surface: "#171e27",
  raised: "#202935",
  pod: "#15293f",
  host: "#251d38",
  bar: "#2c3744",
  ink: "#e4eaf1",
  quiet: "#9dabba",
  line: "#536274",
  faint: "#313d4b",
  request: "#6fb3ff",
  reply: "#62cf87",
  trouble: "#f2a365",
  good: "#62cf87",
  bad: "#ff8f85",
  change: "#463a12",
  "change-ink": "#f5dd95",
  tunnel: "#c3a2f7",
};

const properties = (palette: Palette): string =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(";");

/**
 * The colours of pictures and pages as CSS custom properties: light, dark where the reader's system is dark, light again
 * on paper. Text has a contrast of 4.5 to 1 or more on every surface.
 */
export const PALETTE_CSS = `:root{color-scheme:light dark;${properties(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${properties(DARK)}}}
@media print{:root{color-scheme:light;${properties(LIGHT)}}}
`;
