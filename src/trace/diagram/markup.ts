/** Text that is XML and HTML already, as against text that is just text. Made by {@link markup} only. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: plain values are escaped, markup goes in as it is. */
export type MarkupValue = string | number | Markup | readonly Markup[];

/** Tag of templates that make markup: whatever is put in is shown as text unless it is markup itself. */
export function markup(strings: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  let text = strings[0] ?? "";
  for (const [i, value] of values.entries()) text += valueText(value) + (strings[i + 1] ?? "");
  return new Markup(text);
}

/** No markup at all. */
export const NOTHING = new Markup("");

function valueText(value: MarkupValue): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return escapeText(value);
  if (value instanceof Markup) return value.text;
  return value.map(({ text }) => text).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and for attribute values in quotes, in XML and HTML alike; what XML has no place for becomes U+FFFD. */
export function escapeText(text: string): string {
  return text
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign]!)
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
}
