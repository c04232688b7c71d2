import { describe, expect, it } from "vitest";
import { readSaveFile } from "../../../../src/linux/netfilter/iptables-save/read.ts";
import { writeSaveFile } from "../../../../src/linux/netfilter/iptables-save/write.ts";
import { RuleSetError } from "../../../../src/linux/netfilter/rules/error.ts";
import { applyRestore, validateRuleSet } from "../../../../src/linux/netfilter/rules/restore.ts";

const filter = (...lines: string[]): string => ["*filter", ":C - [0:0]", ...lines, "COMMIT", ""].join("\n");

function failure(text: string): string {
  try {
    validateRuleSet(applyRestore(null, text, { noflush: false }));
  } catch (error) {
    if (error instanceof RuleSetError) return error.message;
    throw error;
  }
  return "accepted";
}

describe("a text that iptables-restore would refuse is an error that names the line", () => {
  it.each([
    ["-A C -j ACCEPT\n", 'line 1: "-A C -j ACCEPT" stands outside a table'],
    ["*filter\n", 'line 1: table "filter" has no COMMIT'],
    ["COMMIT\n", "line 1: COMMIT without a table"],
    ["*filter\n*nat\nCOMMIT\n", 'line 2: table "nat" begins before the COMMIT of "filter"'],
    ["*broute\nCOMMIT\n", 'line 1: unknown table "broute"'],
    ["*filter\n:INPUT REJECT [0:0]\nCOMMIT\n", 'line 2: bad policy "REJECT" of chain "INPUT"'],
    ["*filter\n:INPUT\nCOMMIT\n", 'line 2: malformed chain line ":INPUT"'],
    ["*filter\n:MINE ACCEPT [0:0]\nCOMMIT\n", 'line 2: chain "MINE" is not built in and can have no policy'],
    [filter("hello"), 'line 3: "hello" is no line of iptables-save'],
    [filter("[1:x] -A C"), 'line 3: "[1:x] -A C" is no line of iptables-save'],
    [filter("-A D -j ACCEPT"), 'line 3: no chain "D" in table "filter"'],
    [filter("-A C -j NOWHERE"), 'line 3: jump to unknown chain "NOWHERE"'],
    [filter("-A C -j INPUT"), 'line 3: cannot jump to the built-in chain "INPUT"'],
    [filter("-A C -j C"), 'line 4: table "filter": chains run in a loop: C -> C'],
    [
      filter(":D - [0:0]", "-A C -j D", "-A D -g C"),
      'line 6: table "filter": chains run in a loop: C -> D -> C',
    ],
    [filter("-A C -s 10.0.0.256"), 'line 3: source: "10.0.0.256" is not an IPv4 address'],
    [filter("-A C -s 010.0.0.1"), 'line 3: source: "010.0.0.1" is not an IPv4 address'],
    [filter("-A C -s 10.0.0.1/33"), 'line 3: source: "33" is neither a prefix length nor a mask'],
    [
      filter("-A C ! -s 1.1.1.1,2.2.2.2"),
      "line 3: ! not allowed with multiple source or destination IP addresses",
    ],
    [filter("-A C -p nonsense"), 'line 3: protocol: "nonsense" is not a number from 0 to 255'],
    [filter("-A C --dport 80"), 'line 3: unknown option "--dport"'],
    [filter("-A C -m tcp --dport 80"), 'line 3: tcp: needs "-p tcp"'],
    [filter("-A C -p tcp --dport 65536"), 'line 3: tcp: "65536" is not a number from 0 to 65535'],
    [filter("-A C -p tcp --dport 90:80"), 'line 3: tcp: invalid port range "90:80" (min > max)'],
    [filter("-A C -p tcp --dport"), 'line 3: option "--dport" requires an argument'],
    [filter("-A C -m conntrack --ctstate OLD"), 'line 3: conntrack: bad state "OLD"'],
    [filter("-A C -m statistic --mode random --probability 2"), 'line 3: statistic: bad probability "2"'],
    [
      filter("-A C -m recent --name X"),
      'line 3: recent: you must specify one of "--set", "--rcheck", "--update" or "--remove"',
    ],
    [
      filter("-A C -j DNAT --to-destination 1.2.3.4"),
      "line 3: DNAT: only valid in the nat table, not filter",
    ],
    [filter("-A C -j REJECT --reject-with tcp-reset"), 'line 3: REJECT: tcp-reset needs "-p tcp"'],
    [filter("-A C -j ACCEPT -j DROP"), 'line 3: only one of "-j" and "-g" may be given, once'],
    [filter("-A C -j ACCEPT --foo"), 'line 3: unknown option "--foo"'],
    [filter("-D C -j ACCEPT"), 'line 3: bad rule (does a matching rule exist in chain "C"?)'],
    [filter("-D C 1"), 'line 3: chain "C" has no rule 1'],
    [filter("-I C 2 -j ACCEPT"), "line 3: index of insertion too big: 2"],
    [filter("-N C"), 'line 3: chain "C" already exists'],
    [filter("-A INPUT -j C", "-X C"), 'line 4: chain "C" is still used by "INPUT"'],
    [filter("-A C -j ACCEPT", "-X C"), 'line 4: chain "C" is not empty'],
    [filter("-P C DROP"), 'line 3: chain "C" is not built in and can have no policy'],
    [filter('-A C -m bpf --bytecode "4,48 0 0 9" -j ACCEPT'), 'line 3: unknown match "bpf"'],
    [filter("-A C -j NFQUEUE --queue-num 1"), 'line 3: unknown target "NFQUEUE"'],
    [filter("-A C -p sctp --chunk-types any DATA"), "line 3: sctp: --chunk-types is not modelled"],
    [filter("-A OUTPUT -i eth0 -j ACCEPT"), "line 3: can't use -i with OUTPUT"],
    [filter("-A INPUT ! -o eth0 -j ACCEPT"), "line 3: can't use -o with INPUT"],
    [filter("-A C -p tcp -p udp -j ACCEPT"), 'line 3: multiple "-p" flags not allowed'],
    [filter("-A C -j ACCEPT"), "accepted"],
  ])("%j: %s", (text, message) => {
    expect(failure(text)).toBe(message);
  });
});

describe("a file is written back as it was read", () => {
  it.each([
    ["an empty file", ""],
    ["no newline at the end", "# only a comment"],
    [
      "blank lines, two COMMITs of one table, carriage returns",
      "*filter\nCOMMIT\n\n\n# x\n*filter\r\nCOMMIT\r\n",
    ],
    [
      "blanks and unknown extensions",
      filter('[12:3456] -A C   -m   bpf --bytecode "1,6 0 0 0"\t-j  ACCEPT  '),
    ],
    ["a very long line", filter(`-A C -m comment --comment "${'x\\"y '.repeat(20_000)}"`)],
  ])("%s", (_what, text) => {
    expect(writeSaveFile(readSaveFile(text))).toBe(text);
  });
});
