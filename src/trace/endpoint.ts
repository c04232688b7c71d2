import { parseIpv4 } from "../packet/address.ts";
import { RequestError } from "./request.ts";

/** Who sends, as worded. */
export type SourceText =
  | { readonly kind: "pod"; readonly namespace: string; readonly name: string }
  | { readonly kind: "node" | "host"; readonly name: string };

/** Whom to, as worded. `port` is a number's or a name's text; null when none was given. */
export type TargetText =
  | {
      readonly kind: "svc" | "pod";
      readonly namespace: string;
      readonly name: string;
      readonly port: string | null;
    }
  | { readonly kind: "node" | "host"; readonly name: string; readonly port: string | null }
  | { readonly kind: "address"; readonly address: number; readonly port: string | null };

const SOURCE_FORMS = "pod/[NAMESPACE/]NAME, node/NAME or host/NAME";
const TARGET_FORMS =
  "svc/[NAMESPACE/]NAME:PORT, pod/[NAMESPACE/]NAME:PORT, node/NAME:PORT, host/NAME:PORT, localhost:PORT or IP:PORT";
const LOOPBACK = 0x7f000001;

/** @throws RequestError when the text is none of the forms a source has. */
export function parseSource(text: string): SourceText {
  const [kind, ...names] = text.split("/");
  const named = nameOf(kind === "pod" ? 2 : 1, names);
  if (named !== null) {
    if (kind === "pod") return { kind, ...named };
    if (kind === "node" || kind === "host") return { kind, name: named.name };
  }
  throw new RequestError(`${JSON.stringify(text)} is no source: it is ${SOURCE_FORMS}`);
}

/** @throws RequestError when the text is none of the forms a target has. */
export function parseTarget(text: string): TargetText {
  const { head, port } = splitPort(text);
  if (!head.includes("/")) {
    const address = addressOf(head);
    if (address !== null) return { kind: "address", address, port };
  }
  const [kind, ...names] = head.split("/");
  const named = nameOf(kind === "pod" || kind === "svc" ? 2 : 1, names);
  if (named !== null) {
    if (kind === "svc" || kind === "pod") return { kind, ...named, port };
    if (kind === "node" || kind === "host") return { kind, name: named.name, port };
  }
  throw new RequestError(`${JSON.stringify(text)} is no target: it is ${TARGET_FORMS}`);
}

function splitPort(text: string): { head: string; port: string | null } {
  const at = text.lastIndexOf(":");
  if (at < 0) return { head: text, port: null };
  return { head: text.slice(0, at), port: text.slice(at + 1) };
}

function nameOf(most: number, names: readonly string[]): { namespace: string; name: string } | null {
  if (names.length === 0 || names.length > most || names.includes("")) return null;
  const name = names[names.length - 1]!;
  return { namespace: names.length === 2 ? names[0]! : "default", name };
}

function addressOf(text: string): number | null {
  if (text === "localhost") return LOOPBACK;
  try {
    return parseIpv4(text);
  } catch {
    return null;
  }
}

/**
 * The number that a port's text is, or null when it is a name.
 *
 * @throws RequestError when it is a number that no port has.
 */
export function portNumber(text: string): number | null {
  if (!/^\d+$/.test(text)) return null;
  const port = Number(text);
  if (port < 1 || port > 65535) throw new RequestError(`port ${text} is outside 1-65535`);
  return port;
}
