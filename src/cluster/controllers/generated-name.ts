/** Names that controllers make up: random in a cluster, a hash of what they stand for here, so runs are equal. */

/** `apimachinery/pkg/util/rand` up to 1.7; later versions leave 0, 1 and 3 out. */
const ALPHABET = "bcdfghjklmnpqrstvwxz0123456789";
/** The later alphabet, in which pod template hashes are written (`rand.SafeEncodeString`). */
const SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

const SUFFIX_LENGTH = 5;

/** `<owner>-` and five characters; `identity` tells siblings apart, `taken` are the names already in use. */
export function generatedName(owner: string, identity: string, taken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const name = `${owner}-${suffix(`${owner}/${identity}/${attempt}`)}`;
    if (!taken(name)) return name;
  }
}

function suffix(text: string): string {
  let hash = fnv32a(text);
  let out = "";
  for (let i = 0; i < SUFFIX_LENGTH; i++) {
    out += ALPHABET.charAt(hash % ALPHABET.length);
    hash = Math.floor(hash / ALPHABET.length);
  }
  return out;
}

/** A pod template's hash in the form of `controller.ComputeHash`: FNV-1a, decimal, safely encoded. */
export function templateHash(template: unknown): string {
  return [...String(fnv32a(JSON.stringify(template)))]
    .map((digit) => SAFE_ALPHABET.charAt(digit.charCodeAt(0) % SAFE_ALPHABET.length))
    .join("");
}

/** 32-bit FNV-1a over UTF-16 code units, with a final mix so that near texts give far names. */
function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return hash >>> 0;
}
