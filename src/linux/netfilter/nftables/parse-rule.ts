import { IPPROTO_ICMP, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from "../../../packet/packet.ts";
import type { NftBlock, NftExpression, NftField, NftOperand, NftVerdict } from "./expression.ts";

/** Reads a rule's words one after the other. */
export class Words {
  private readonly words: readonly string[];
  private at = 0;

  constructor(words: readonly string[]) {
    this.words = words;
  }

  get done(): boolean {
    return this.at >= this.words.length;
  }

  peek(): string {
    return this.words[this.at] ?? "";
  }

  next(): string {
    const word = this.words[this.at];
    if (word === undefined) throw new SyntaxError("ends too early");
    this.at++;
    return word;
  }

  /** Takes the words if they come next. */
  take(...expected: readonly string[]): boolean {
    if (!expected.every((word, i) => this.words[this.at + i] === word)) return false;
    this.at += expected.length;
    return true;
  }

  expect(...expected: readonly string[]): void {
    if (!this.take(...expected))
      throw new SyntaxError(`expected "${expected.join(" ")}" at "${this.peek()}"`);
  }
}

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["icmp", IPPROTO_ICMP],
  ["tcp", IPPROTO_TCP],
  ["udp", IPPROTO_UDP],
  ["sctp", IPPROTO_SCTP],
]);

/** Number of a transport protocol's name. Throws SyntaxError for another word. */
export function parseProtocol(word: string): number {
  const protocol = PROTOCOLS.get(word);
  if (protocol === undefined) throw new SyntaxError(`unknown protocol "${word}"`);
  return protocol;
}

/** A dotted quad as an unsigned 32-bit number. Throws SyntaxError for anything else. */
export function parseAddress(word: string): number {
  const octets = word.split(".");
  let address = 0;
  for (const octet of octets) {
    if (!/^\d{1,3}$/.test(octet) || Number(octet) > 255) throw new SyntaxError(`"${word}" is no address`);
    address = address * 256 + Number(octet);
  }
  if (octets.length !== 4) throw new SyntaxError(`"${word}" is no address`);
  return address;
}

export function parseNumber(word: string): number {
  const value = Number(word);
  if (word === "" || !Number.isInteger(value) || value < 0) throw new SyntaxError(`"${word}" is no number`);
  return value;
}

function parseBlock(word: string): NftBlock {
  const slash = word.indexOf("/");
  if (slash < 0) return { address: parseAddress(word), mask: 0xffffffff };
  const length = parseNumber(word.slice(slash + 1));
  if (length > 32) throw new SyntaxError(`"${word}" is no block of addresses`);
  const mask = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
  return { address: (parseAddress(word.slice(0, slash)) & mask) >>> 0, mask };
}

function parseAddresses(words: Words): NftOperand {
  const word = words.next();
  if (word.startsWith("@")) return { type: "set", name: word.slice(1) };
  if (word !== "{") return { type: "blocks", blocks: [parseBlock(word)] };
  const blocks: NftBlock[] = [];
  do for (const one of words.next().split(",")) if (one !== "") blocks.push(parseBlock(one));
  while (!words.take("}"));
  return { type: "blocks", blocks };
}

/** `goto CHAIN`, `drop`, … */
export function parseVerdict(words: Words): NftVerdict {
  const word = words.next();
  switch (word) {
    case "accept":
    case "drop":
    case "return":
    case "reject":
      return { code: word };
    case "jump":
    case "goto":
      return { code: word, chain: words.next() };
    default:
      throw new SyntaxError(`unknown verdict "${word}"`);
  }
}

const compare = (field: NftField, negated: boolean, operand: NftOperand): NftExpression => ({
  kind: "compare",
  field,
  negated,
  operand,
});
const number = (value: number): NftOperand => ({ type: "number", value });

/** The expressions of a rule, from its words (without its comment). Throws SyntaxError for what is not simulated. */
export function parseExpressions(given: readonly string[]): NftExpression[] {
  const words = new Words(given);
  const expressions: NftExpression[] = [];
  while (!words.done) expressions.push(...parseOne(words));
  return expressions;
}

function parseOne(words: Words): NftExpression[] {
  switch (words.peek()) {
    case "ip":
      return parseIp(words);
    case "meta":
      return parseMeta(words);
    case "mark":
      return [parseMark(words)];
    case "fib":
      return [parseFib(words)];
    case "numgen":
      return [parseNumgen(words)];
    case "ct":
      words.expect("ct", "state", "new");
      return [compare("ct state", false, number(0))];
    case "iif":
    case "iifname":
      return [parseInterface(words)];
    case "tcp":
    case "udp":
    case "sctp": {
      const protocol = parseProtocol(words.next());
      words.expect("dport");
      return [
        compare("meta l4proto", false, number(protocol)),
        compare("th dport", false, number(parseNumber(words.next()))),
      ];
    }
    case "update": {
      words.next();
      const set = words.next();
      words.expect("{", "ip", "saddr", "}");
      return [{ kind: "update", set: set.replace(/^@/, "") }];
    }
    case "dnat":
      return [parseDnat(words)];
    case "masquerade":
      words.next();
      return [{ kind: "masquerade", fullyRandom: words.take("fully-random") }];
    default:
      return [{ kind: "verdict", verdict: parseVerdict(words) }];
  }
}

function parseIp(words: Words): NftExpression[] {
  words.expect("ip");
  const field = words.next();
  if (field !== "saddr" && field !== "daddr") throw new SyntaxError(`unknown field "ip ${field}"`);
  if (words.take(".")) {
    if (field !== "daddr") throw new SyntaxError("only ip daddr is looked up together with a port");
    words.expect("meta", "l4proto", ".", "th", "dport", "vmap");
    return [{ kind: "vmap", map: words.next().replace(/^@/, "") }];
  }
  const negated = words.take("!=");
  return [compare(`ip ${field}`, negated, parseAddresses(words))];
}

function parseMeta(words: Words): NftExpression[] {
  words.expect("meta", "l4proto");
  if (!words.take(".")) {
    const negated = words.take("!=");
    return [compare("meta l4proto", negated, number(parseProtocol(words.next())))];
  }
  words.expect("th", "dport", "vmap");
  return [{ kind: "vmap", map: words.next().replace(/^@/, "") }];
}

function parseMark(words: Words): NftExpression {
  words.expect("mark");
  if (words.take("and")) {
    const mask = parseNumber(words.next());
    words.expect("==");
    return { kind: "mark", mask, value: parseNumber(words.next()) };
  }
  words.expect("set", "mark");
  const operation = words.next();
  if (operation !== "or" && operation !== "xor") throw new SyntaxError(`unknown operation "${operation}"`);
  return { kind: "mark-set", operation, value: parseNumber(words.next()) };
}

function parseFib(words: Words): NftExpression {
  words.expect("fib");
  const field = words.next();
  if (field !== "saddr" && field !== "daddr") throw new SyntaxError(`unknown field "fib ${field}"`);
  words.expect("type", "local");
  return compare(`fib ${field} type`, false, number(0));
}

function parseInterface(words: Words): NftExpression {
  const word = words.next();
  const negated = words.take("!=");
  const name = words.next().replace(/^"|"$/g, "");
  const wildcard = word === "iifname" && name.endsWith("*");
  return compare("iifname", negated, { type: "name", text: wildcard ? name.slice(0, -1) : name, wildcard });
}

function parseNumgen(words: Words): NftExpression {
  words.expect("numgen", "random", "mod");
  const modulus = parseNumber(words.next());
  words.expect("vmap", "{");
  const verdicts = new Array<NftVerdict>(modulus);
  do {
    const element = parseNumber(words.next());
    words.expect(":");
    if (element >= modulus) throw new SyntaxError(`${element} is no remainder of ${modulus}`);
    verdicts[element] = parseVerdict(words);
    words.take(",");
  } while (!words.take("}"));
  return { kind: "numgen", verdicts };
}

function parseDnat(words: Words): NftExpression {
  words.expect("dnat", "to");
  const [address = "", port] = words.next().split(":");
  const to = parseAddress(address);
  const number = port === undefined ? null : parseNumber(port);
  return {
    kind: "dnat",
    target: {
      type: "DNAT",
      addresses: { min: to, max: to },
      ports: number === null ? null : { min: number, max: number },
      portBase: null,
      random: false,
      randomFully: false,
      persistent: false,
    },
  };
}
