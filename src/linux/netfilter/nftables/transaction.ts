import { HOOK_NAMES, type Hook } from "../hooks.ts";
import { NftError } from "./error.ts";
import {
  parseAddress,
  parseExpressions,
  parseNumber,
  parseProtocol,
  parseVerdict,
  Words,
} from "./parse-rule.ts";
import {
  emptyNftTable,
  mapKey,
  type NftBase,
  type NftChain,
  type NftMap,
  type NftMapElement,
  type NftRule,
  type NftSet,
  type NftTable,
} from "./table.ts";

/** The table while a transaction works on it. */
interface Draft {
  name: string;
  comment: string | null;
  chains: Map<string, NftChain & { rules: NftRule[] }>;
  sets: Map<string, NftSet & { addresses: Set<number> }>;
  maps: Map<string, NftMap & { elements: Map<number, NftMapElement> }>;
  /** What this transaction has copied already, and may change in place. */
  own: Set<object>;
}

/**
 * `nft -f -`: one transaction of commands on one table of family ip, all or nothing. Without a table before, its first
 * command is `add table`. Throws {@link NftError} with the line that is wrong; the table given is never changed.
 */
export function applyNft(table: NftTable | null, text: string): NftTable {
  const draft = draftOf(table ?? emptyNftTable(""));
  let line = 0;
  for (const command of text.split("\n")) {
    line++;
    if (command.trim() === "" || command.startsWith("#")) continue;
    try {
      applyCommand(draft, command);
    } catch (error) {
      if (error instanceof SyntaxError) throw new NftError(line, error.message);
      throw error;
    }
  }
  checkReferences(draft);
  const { name, comment, chains, sets, maps } = draft;
  return { name, comment, chains, sets, maps };
}

function draftOf({ name, comment, chains, sets, maps }: NftTable): Draft {
  return {
    name,
    comment,
    // nobody writes to an entry before `ownChain` and its like have copied it
    chains: new Map(chains) as Draft["chains"],
    sets: new Map(sets) as Draft["sets"],
    maps: new Map(maps) as Draft["maps"],
    own: new Set(),
  };
}

function ownChain(draft: Draft, name: string): NftChain & { rules: NftRule[] } {
  const chain = draft.chains.get(name);
  if (chain === undefined) throw new SyntaxError(`there is no chain ${name}`);
  if (draft.own.has(chain)) return chain;
  const copy = { ...chain, rules: [...chain.rules] };
  draft.chains.set(name, copy);
  draft.own.add(copy);
  return copy;
}

function ownSet(draft: Draft, name: string): (NftSet & { addresses: Set<number> }) | null {
  const set = draft.sets.get(name);
  if (set === undefined) return null;
  if (draft.own.has(set)) return set;
  const copy = { ...set, addresses: new Set(set.addresses) };
  draft.sets.set(name, copy);
  draft.own.add(copy);
  return copy;
}

function ownMap(draft: Draft, name: string): NftMap & { elements: Map<number, NftMapElement> } {
  const map = draft.maps.get(name);
  if (map === undefined) throw new SyntaxError(`there is no set or map ${name}`);
  if (draft.own.has(map)) return map;
  const copy = { ...map, elements: new Map(map.elements) };
  draft.maps.set(name, copy);
  draft.own.add(copy);
  return copy;
}

/** A comment in double quotes is one word, without them. */
function splitWords(command: string): { words: string[]; comment: string | null } {
  const quoted = / comment "([^"]*)"/.exec(command);
  const rest = quoted === null ? command : command.replace(quoted[0], "");
  return { words: rest.trim().split(/[ \t]+/), comment: quoted?.[1] ?? null };
}

function applyCommand(draft: Draft, command: string): void {
  const { words: all, comment } = splitWords(command);
  const [verb = "", kind = "", family = "", table = "", ...rest] = all;
  if (family !== "ip") throw new SyntaxError(`family "${family}" is not simulated; known: ip`);
  if (draft.name === "" && verb === "add" && kind === "table") draft.name = table;
  if (table !== draft.name) throw new SyntaxError(`there is no table ip ${table}`);
  const [name = "", ...words] = rest;
  switch (`${verb} ${kind}`) {
    case "add table":
      draft.comment = comment ?? draft.comment;
      return;
    case "add chain":
      addChain(draft, name, words, comment);
      return;
    case "add rule":
      ownChain(draft, name).rules.push({
        expressions: parseExpressions(words),
        text: words.join(" "),
        comment,
      });
      return;
    case "add set":
      addSet(draft, name, words, comment);
      return;
    case "add map":
      addMap(draft, name, words, comment);
      return;
    case "add element":
    case "delete element":
      changeElement(draft, verb === "add", name, words, comment);
      return;
    case "flush chain":
      ownChain(draft, name).rules.length = 0;
      return;
    case "flush set":
      ownSet(draft, name)?.addresses.clear();
      return;
    case "flush map":
      ownMap(draft, name).elements.clear();
      return;
    case "delete chain":
    case "delete set":
    case "delete map": {
      const objects: Map<string, unknown> =
        kind === "chain" ? draft.chains : kind === "set" ? draft.sets : draft.maps;
      if (!objects.delete(name)) throw new SyntaxError(`there is no ${kind} ${name}`);
      return;
    }
    default:
      throw new SyntaxError(`"${verb} ${kind}" is not simulated`);
  }
}

function addChain(draft: Draft, name: string, words: readonly string[], comment: string | null): void {
  const present = draft.chains.get(name);
  const base = parseBase(words);
  if (present !== undefined) {
    if (base !== null && JSON.stringify(base) !== JSON.stringify(present.base))
      throw new SyntaxError(`chain ${name} is another kind of chain already`);
    return;
  }
  const chain = { name, base, comment, rules: [] };
  draft.chains.set(name, chain);
  draft.own.add(chain);
}

function parseBase(given: readonly string[]): NftBase | null {
  const words = new Words(given);
  words.take("{");
  if (words.done || !words.take("type")) return null;
  const type = words.next();
  if (type !== "filter" && type !== "nat") throw new SyntaxError(`chains of type ${type} are not simulated`);
  words.expect("hook");
  const word = words.next();
  const hook = HOOK_NAMES.indexOf(word.toUpperCase() as (typeof HOOK_NAMES)[number]);
  if (hook < 0) throw new SyntaxError(`unknown hook "${word}"`);
  words.expect("priority");
  const priority = Number(words.next());
  if (!Number.isInteger(priority)) throw new SyntaxError("a priority is a whole number");
  return { type, hook: hook as Hook, priority };
}

function addSet(draft: Draft, name: string, words: readonly string[], comment: string | null): void {
  if (draft.sets.has(name)) return;
  const text = words.join(" ");
  if (!text.startsWith("{ type ipv4_addr ;"))
    throw new SyntaxError("only sets of type ipv4_addr are simulated");
  const timeout = / timeout (\d+)s ;/.exec(text);
  const set = {
    name,
    comment,
    timeoutSeconds: timeout === null ? null : Number(timeout[1]),
    addresses: new Set<number>(),
  };
  draft.sets.set(name, set);
  draft.own.add(set);
}

const MAP_TYPES: Readonly<Record<string, NftMap["type"]>> = {
  "ipv4_addr . inet_proto . inet_service : verdict": "address-protocol-port",
  "inet_proto . inet_service : verdict": "protocol-port",
};

function addMap(draft: Draft, name: string, words: readonly string[], comment: string | null): void {
  if (draft.maps.has(name)) return;
  const typeText = words
    .join(" ")
    .replace(/^\{ type /, "")
    .replace(/ ;.*$/, "");
  const type = MAP_TYPES[typeText];
  if (type === undefined) throw new SyntaxError(`maps of type "${typeText}" are not simulated`);
  const map = { name, comment, type, elements: new Map<number, NftMapElement>() };
  draft.maps.set(name, map);
  draft.own.add(map);
}

function changeElement(
  draft: Draft,
  adds: boolean,
  name: string,
  given: readonly string[],
  comment: string | null,
): void {
  const words = new Words(given);
  words.expect("{");
  const set = ownSet(draft, name);
  if (set !== null) {
    const address = parseAddress(words.next());
    if (adds) set.addresses.add(address);
    else set.addresses.delete(address);
    return;
  }
  const map = ownMap(draft, name);
  let address = 0;
  if (map.type === "address-protocol-port") {
    address = parseAddress(words.next());
    words.expect(".");
  }
  const protocol = parseProtocol(words.next());
  words.expect(".");
  const key = mapKey(address, protocol, parseNumber(words.next()));
  if (adds) {
    words.expect(":");
    map.elements.set(key, { verdict: parseVerdict(words), comment });
  } else map.elements.delete(key);
}

/** Chains, sets and maps that rules name must be there when the transaction ends. */
function checkReferences({ chains, sets, maps, own }: Draft): void {
  for (const chain of chains.values()) {
    if (!own.has(chain)) continue;
    for (const { expressions, text } of chain.rules)
      for (const expression of expressions) {
        const missing = missingReference(expression, chains, sets, maps);
        if (missing !== null) throw new NftError(0, `chain ${chain.name}: ${text}: there is no ${missing}`);
      }
  }
}

function missingReference(
  expression: NftRule["expressions"][number],
  chains: Draft["chains"],
  sets: Draft["sets"],
  maps: Draft["maps"],
): string | null {
  switch (expression.kind) {
    case "verdict":
      return "chain" in expression.verdict && !chains.has(expression.verdict.chain)
        ? `chain ${expression.verdict.chain}`
        : null;
    case "vmap":
      return maps.has(expression.map) ? null : `map ${expression.map}`;
    case "update":
      return sets.has(expression.set) ? null : `set ${expression.set}`;
    case "compare": {
      const { operand } = expression;
      return operand.type === "set" && !sets.has(operand.name) ? `set ${operand.name}` : null;
    }
    case "numgen": {
      const lost = expression.verdicts.find((verdict) => "chain" in verdict && !chains.has(verdict.chain));
      return lost !== undefined && "chain" in lost ? `chain ${lost.chain}` : null;
    }
    default:
      return null;
  }
}
