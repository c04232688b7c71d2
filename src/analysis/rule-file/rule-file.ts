/** One packet through a rule file alone, without a cluster. */
import type { Chooser } from "../../linux/chooser.ts";
import { readSaveFile } from "../../linux/netfilter/iptables-save/read.ts";
import { applySaveFile } from "../../linux/netfilter/rules/restore.ts";
import type { RuleSet } from "../../linux/netfilter/rules/rule-set.ts";
import type { NetworkEvent } from "../../linux/recorder.ts";
import { Skb } from "../../linux/skb.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { IPPROTO_ICMP, type Packet } from "../../packet/packet.ts";
import { API_VERSION } from "../../trace/trace.ts";
import { exploreBranches, groupBranches } from "../explore/branching-chooser.ts";
import { toNumber } from "../explore/fraction.ts";
import { markUntracked } from "./connection.ts";
import { withTraps } from "./judgeable.ts";
import { buildMachine, STAND_IN_ADDRESS } from "./machine.ts";
import { makePacket } from "./packet.ts";
import { report } from "./report.ts";
import type { RuleFileRequest } from "./request.ts";
import type { PacketEnds, RuleTrace, RuleTraceSet } from "./result.ts";
import { type RuleLines, ruleLines } from "./rule-lines.ts";
import { traverse } from "./traverse.ts";

/** A rule file that has been read, ready for any number of packets. */
export interface RuleFile {
  readonly name: string;
  readonly ruleSet: RuleSet;
  readonly lines: RuleLines;
}

/**
 * Reads what iptables-save printed. `name` is what the file is called in results. Extensions that are not modelled are
 * no fault as long as no packet comes to them.
 *
 * @throws RuleSetError with the line of what iptables-restore would refuse.
 */
export function readRuleFile(name: string, text: string): RuleFile {
  const file = readSaveFile(text);
  const ruleSet = applySaveFile(null, file, { noflush: false });
  const lines = ruleLines(file, ruleSet);
  return { name, ruleSet: withTraps(ruleSet, lines), lines };
}

/**
 * Sends one packet through the rules, from a machine that has seen no other: no connections but the one that the
 * request tells of, empty `recent` lists, full `limit` buckets.
 *
 * @throws RequestError for a packet that cannot be, RuleSetError with the line when a rule that cannot be judged by is reached.
 */
export function judgePacket(file: RuleFile, request: RuleFileRequest, chooser: Chooser): RuleTrace {
  const packet = makePacket(request);
  const machine = buildMachine(file.ruleSet, request, chooser);
  const { netns } = machine;
  const events: NetworkEvent[] = [];
  netns.network.recorder = { record: (event) => void events.push(event) };
  const skb = new Skb(packet);
  skb.mark = request.mark;
  if (request.state === "UNTRACKED") markUntracked(skb);
  netns.originate(skb, "socket", 0);
  const { hooks, accepted } = traverse(machine, skb);
  const { inDevice, outDevice, state, localAddresses, mark } = request;
  const told = report(events, skb.serial, file.lines);
  const before = endsOf(makePacket(request));
  return {
    apiVersion: API_VERSION,
    kind: "RuleTrace",
    request: {
      file: file.name,
      protocol: request.protocol,
      ...before,
      inInterface: inDevice,
      outInterface: outDevice,
      ctstate: state,
      mark,
      localAddresses: localAddresses.map(({ address, device }) =>
        device === null ? formatIpv4(address) : `${formatIpv4(address)}%${device}`,
      ),
    },
    verdict: accepted ? "accepted" : told.at?.detail === "REJECT" ? "rejected" : "dropped",
    at: accepted ? null : told.at,
    answer: told.answer,
    hooks,
    rules: told.rules,
    tables: told.tables,
    rulesEvaluated: told.tables.reduce((sum, { rulesWalked }) => sum + rulesWalked, 0),
    before: { ...before, mark },
    after: {
      ...endsOf(skb.packet),
      mark: skb.mark >>> 0,
      connmark: skb.ct === null ? null : skb.ct.mark >>> 0,
    },
    nat: told.nat.map(({ hook, manip, before: old, after }) => ({
      hook,
      manip,
      before: endsOf(old),
      after: endsOf(after),
    })),
    log: told.log,
    notes: notesOn(request, hooks, skb.packet),
  };
}

/** Every way that chance can take, equal results together. The exact probabilities sum to 1. */
export function explorePacket(file: RuleFile, request: RuleFileRequest, seed: number): RuleTraceSet {
  const branches = exploreBranches((chooser) => judgePacket(file, request, chooser), { seed });
  return {
    apiVersion: API_VERSION,
    kind: "RuleTraceSet",
    branches: groupBranches(branches, (trace) => JSON.stringify(trace)).map(({ probability, outcome }) => ({
      probability: toNumber(probability),
      numerator: String(probability.numerator),
      denominator: String(probability.denominator),
      trace: outcome,
    })),
  };
}

function endsOf(p: Packet): PacketEnds {
  const end = (address: number, port: number): string =>
    p.protocol === IPPROTO_ICMP ? formatIpv4(address) : `${formatIpv4(address)}:${port}`;
  return { source: end(p.src, p.sport), destination: end(p.dst, p.dport) };
}

function notesOn(
  { outDevice, localAddresses }: RuleFileRequest,
  hooks: RuleTrace["hooks"],
  { src, dst }: Packet,
): string[] {
  const notes: string[] = [];
  const leaves = hooks.includes("FORWARD") || (hooks[0] === "OUTPUT" && !hooks.includes("INPUT"));
  if (leaves && outDevice === null)
    notes.push("no --out-interface: rules with -o judge as of a device that no rule names");
  if (localAddresses.length === 0 && hooks[0] === "PREROUTING")
    notes.push("no --local-address: only 127.0.0.0/8 is LOCAL");
  if (localAddresses.length === 0 && (src === STAND_IN_ADDRESS || dst === STAND_IN_ADDRESS))
    notes.push(`no --local-address: ${formatIpv4(STAND_IN_ADDRESS)} stands for this machine's`);
  return notes;
}
