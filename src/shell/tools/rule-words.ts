/** What `iptables -nL` says of a rule's matches and target: every extension's `print`, made from its saved form. */
import { splitArguments } from "../../linux/netfilter/rules/arguments.ts";
import type { Rule } from "../../linux/netfilter/rules/rule-set.ts";

/** Options of one extension: `! --dport 80` is `["!--dport", "80"]`. */
type Option = readonly [name: string, ...values: string[]];

/** Everything behind the destination, each part with a blank before it. */
export function ruleWords(rule: Rule): string {
  const goto = rule.target.verdictText.startsWith("goto ") ? "[goto] " : "";
  const matches = rule.matches.map(({ text, name }) => matchWords(name, optionsOf(text)));
  return goto + matches.join("") + targetWords(rule.target.name, optionsOf(rule.target.text));
}

function optionsOf(text: string): Option[] {
  const options: [string, ...string[]][] = [];
  let negated = false;
  for (const { text: value, quoted } of splitArguments(text.trim())) {
    if (value === "!" && !quoted) negated = true;
    else if (!quoted && /^--?[a-z]/.test(value)) {
      if (value !== "-m" && value !== "-j" && value !== "-g") options.push([`${negated ? "!" : ""}${value}`]);
      else options.push([value]);
      negated = false;
    } else options.at(-1)?.push(value);
  }
  return options.filter(([name]) => name !== "-m" && name !== "-j" && name !== "-g");
}

const bare = (name: string): string => name.replace(/^!?--/, "");
const isNegated = (name: string): boolean => name.startsWith("!");

/** ` dpt:80`, ` dpts:53:60`, ` dpt:!80` */
function ports([name, value = ""]: Option): string {
  const word = bare(name) === "sport" ? "spt" : "dpt";
  return ` ${word}${value.includes(":") ? "s" : ""}:${isNegated(name) ? "!" : ""}${value}`;
}

const FLAG_BITS: Readonly<Record<string, number>> = {
  FIN: 1,
  SYN: 2,
  RST: 4,
  PSH: 8,
  ACK: 16,
  URG: 32,
  ALL: 63,
  NONE: 0,
};

const flagMask = (text: string): string =>
  `0x${text
    .split(",")
    .reduce((mask, flag) => mask | (FLAG_BITS[flag] ?? 0), 0)
    .toString(16)
    .toUpperCase()
    .padStart(2, "0")}`;

function matchWords(name: string, options: readonly Option[]): string {
  switch (name) {
    case "comment":
      return ` /* ${options[0]?.[1] ?? ""} */`;
    case "tcp":
    case "udp":
    case "sctp":
      return ` ${name}${options.map(transport).join("")}`;
    case "icmp":
      return options
        .map(([flag, value]) => ` ${isNegated(flag) ? "!" : ""}icmptype ${value?.replace("/", " code ")}`)
        .join("");
    case "conntrack":
    case "state":
      return options
        .map(([flag, value = ""]) => `${isNegated(flag) ? " !" : ""} ${bare(flag)} ${value}`)
        .join("");
    case "mark":
    case "connmark":
      return options
        .map(
          ([flag, value]) =>
            ` ${name === "mark" ? "" : "conn"}mark match ${isNegated(flag) ? "! " : ""}${value}`,
        )
        .join("");
    case "addrtype":
      return ` ADDRTYPE match${options.map(([flag, value = ""]) => ` ${bare(flag)}${value === "" ? "" : ` ${isNegated(flag) ? "!" : ""}${value}`}`).join("")}`;
    case "statistic":
      return statistic(options);
    case "recent":
      return recent(options);
    case "multiport":
      return ` multiport${options.map(([flag, value]) => ` ${isNegated(flag) ? "!" : ""}${bare(flag)} ${value}`).join("")}`;
    case "limit":
      return ` limit: avg ${options[0]?.[1] ?? ""} burst ${options.find(([flag]) => bare(flag) === "limit-burst")?.[1] ?? "5"}`;
    case "physdev":
      return ` PHYSDEV match${options.map((option) => ` ${option.join(" ")}`).join("")}`;
    case "set":
      return options
        .map(([flag, ...values]) => ` ${isNegated(flag) ? "! " : ""}match-set ${values.join(" ")}`)
        .join("");
    case "nfacct":
      return ` nfacct-name  ${options[0]?.[1] ?? ""}`;
    default:
      return ` ${name} ${options.map(([flag, ...values]) => [flag.replace("!", "! "), ...values].join(" ")).join(" ")}`.trimEnd();
  }
}

function transport(option: Option): string {
  const [name, ...values] = option;
  const word = bare(name);
  if (word === "sport" || word === "dport") return ports(option);
  if (word === "tcp-flags")
    return ` flags:${isNegated(name) ? "!" : ""}${flagMask(values[0] ?? "")}/${flagMask(values[1] ?? "")}`;
  return ` ${word === "tcp-option" ? "option" : word}${isNegated(name) ? "!" : ""}=${values.join(" ")}`;
}

function statistic(options: readonly Option[]): string {
  const value = (name: string) => options.find(([flag]) => bare(flag) === name);
  const mode = value("mode")?.[1] ?? "random";
  const chance = value("probability");
  if (chance !== undefined)
    return ` statistic mode ${mode}${isNegated(chance[0]) ? " !" : ""} probability ${chance[1]}`;
  const packet = value("packet")?.[1] ?? "0";
  return ` statistic mode ${mode} every ${value("every")?.[1] ?? "0"}${packet === "0" ? "" : ` packet ${packet}`}`;
}

const RECENT_ACTIONS: Readonly<Record<string, string>> = {
  rcheck: "CHECK",
  update: "UPDATE",
  set: "SET",
  remove: "REMOVE",
};

function recent(options: readonly Option[]): string {
  const words = options.map(([flag, value]) => {
    const name = bare(flag);
    const action = RECENT_ACTIONS[name];
    if (action !== undefined) return `${isNegated(flag) ? "!" : ""}${action}`;
    if (name === "rsource" || name === "rdest") return `side: ${name === "rsource" ? "source" : "dest"}`;
    if (name === "reap") return "reap";
    if (name === "hitcount") return `hit_count: ${value}`;
    return name === "mask" ? "" : `${name}: ${value}`;
  });
  const mask = options.find(([flag]) => bare(flag) === "mask")?.[1];
  return ` recent: ${words.filter((word) => word !== "").join(" ")}${mask === undefined ? "" : ` mask: ${mask}`}`;
}

function targetWords(name: string, options: readonly Option[]): string {
  const value = (flag: string) => options.find(([one]) => bare(one) === flag)?.[1];
  const flags = ["random", "random-fully", "persistent"].filter((flag) =>
    options.some(([one]) => bare(one) === flag),
  );
  const tail = flags.map((flag) => ` ${flag}`).join("");
  switch (name) {
    case "DNAT":
      return ` to:${value("to-destination") ?? ""}${tail}`;
    case "SNAT":
      return ` to:${value("to-source") ?? ""}${tail}`;
    case "MASQUERADE":
      return `${value("to-ports") === undefined ? "" : ` masq ports: ${value("to-ports")}`}${tail}`;
    case "REDIRECT":
      return `${value("to-ports") === undefined ? "" : ` redir ports ${value("to-ports")}`}${tail}`;
    case "REJECT":
      return ` reject-with ${value("reject-with") ?? "icmp-port-unreachable"}`;
    case "MARK":
      return markWords(value("set-xmark") ?? value("set-mark") ?? "");
    case "LOG": {
      const prefix = value("log-prefix");
      return ` LOG flags 0 level ${value("log-level") ?? "4"}${prefix === undefined ? "" : ` prefix "${prefix}"`}`;
    }
    default:
      return options.map(([flag, ...values]) => ` ${[bare(flag), ...values].join(" ")}`).join("");
  }
}

/** `xt_MARK: mark_tg_print`: what the value and mask come to. */
function markWords(text: string): string {
  const [value = "0", mask = "0xffffffff"] = text.split("/");
  const [set, clear] = [Number(value), Number(mask)];
  if (clear === 0) return ` MARK xor ${value}`;
  if (set === clear) return ` MARK or ${value}`;
  if (clear === 0xffffffff) return ` MARK set ${value}`;
  return set === 0 ? ` MARK and 0x${(~clear >>> 0).toString(16)}` : ` MARK xset ${value}/${mask}`;
}
