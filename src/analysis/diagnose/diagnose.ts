import type { ClusterModel } from "../../cluster/objects/model.ts";
import { CATALOGUE } from "./catalogue.ts";
import { type Check, type Observation, SEVERITIES, type Subject, type Suspect } from "./check.ts";
import type { Evidence, Finding } from "./finding.ts";

export interface DiagnoseOptions {
  /** The checks to make; the whole catalogue when left out. */
  readonly checks?: readonly Check[];
  /** Told before each check: how many are done, and its id. */
  readonly onCheck?: (done: number, id: string) => void;
}

/** Suspects that one check may put to the test: a large cluster has thousands that are alike. */
const MAX_TRIALS = 200;
/** How many faults may hide behind one another. */
const MAX_ROUNDS = 8;

/**
 * What is misconfigured in a cluster and which flows it breaks, most severe first.
 *
 * Each check names suspects by looking at the model. A suspect becomes a finding only when a flow that is sent through
 * a new network fails in the way that the check describes, and the same flow with the suspect mended in a copy of the
 * model does not fail so any more. A fault that hides behind another one shows once that is mended: the search goes
 * on with everything mended that was found, until nothing new turns up.
 */
export function diagnose(model: ClusterModel, options: DiagnoseOptions = {}): Finding[] {
  const { checks = CATALOGUE, onCheck } = options;
  if (model.nodes.length === 0) return [];
  const found = new Map<string, Finding>();
  const suspected = new Set<string>();
  let current = model;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const mends: Suspect[] = [];
    for (const [i, check] of checks.entries()) {
      if (round === 0) onCheck?.(i, check.id);
      for (const { subject } of round === 0 ? check.suspects(model) : [])
        suspected.add(keyOf(check, subject));
      for (const { suspect, finding } of proven(check, current)) {
        const key = keyOf(check, suspect.subject);
        // a mend may make room for what was no fault of the topology's
        if (found.has(key) || !suspected.has(key)) continue;
        found.set(key, finding);
        if (check.severity === "error") mends.push(suspect);
      }
    }
    const next = mends.reduce((repaired, suspect) => suspect.mended(repaired) ?? repaired, current);
    if (next === current) break;
    current = next;
  }
  const rank = ({ severity }: Finding) => SEVERITIES.indexOf(severity);
  return [...found.values()].sort((a, b) => rank(a) - rank(b));
}

interface Proof {
  readonly suspect: Suspect;
  readonly finding: Finding;
}

/**
 * The findings of one check, one a subject. Everything that fails is mended at once for the counter-proof, which costs
 * one network; where that does not help, each by itself.
 */
function proven(check: Check, model: ClusterModel): Proof[] {
  const trials = { left: MAX_TRIALS };
  const groups = groupsOf(check, model);
  const failing = groups.flatMap((group) => firstFailing(group, model, trials) ?? []);
  const repaired = failing.reduce((current, { suspect }) => suspect.mended(current) ?? current, model);
  const proofs: Proof[] = [];
  for (const { suspect, before, rest } of failing) {
    const isMendable = suspect.mended(model) !== null;
    const after = isMendable ? suspect.observe(repaired) : null;
    const proof =
      after?.faulty === true
        ? proveAlone(check, [suspect, ...rest], model, trials)
        : { suspect, finding: findingOf(check, suspect, before, after) };
    if (proof !== null) proofs.push(proof);
  }
  return proofs;
}

/** The suspects by subject. */
function groupsOf(check: Check, model: ClusterModel): Suspect[][] {
  const groups = new Map<string, Suspect[]>();
  for (const suspect of check.suspects(model)) {
    const key = keyOf(check, suspect.subject);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [suspect]);
    else group.push(suspect);
  }
  return [...groups.values()];
}

/** The first suspect of a group whose flow fails, and those after it. */
function firstFailing(
  group: readonly Suspect[],
  model: ClusterModel,
  trials: { left: number },
): { suspect: Suspect; before: Observation; rest: readonly Suspect[] } | null {
  for (const [i, suspect] of group.entries()) {
    if (trials.left-- <= 0) return null;
    const before = suspect.observe(model);
    if (before?.faulty === true) return { suspect, before, rest: group.slice(i + 1) };
  }
  return null;
}

/** Mends one suspect at a time, until that makes a difference. */
function proveAlone(
  check: Check,
  group: readonly Suspect[],
  model: ClusterModel,
  trials: { left: number },
): Proof | null {
  for (const suspect of group) {
    if (trials.left-- <= 0) return null;
    const before = suspect.observe(model);
    const repaired = suspect.mended(model);
    if (before?.faulty !== true || repaired === null) continue;
    const after = suspect.observe(repaired);
    if (after?.faulty !== true) return { suspect, finding: findingOf(check, suspect, before, after) };
  }
  return null;
}

function findingOf(
  { id, severity, symptom }: Check,
  { subject, message, mend }: Suspect,
  before: Observation,
  after: Observation | null,
): Finding {
  return {
    id,
    severity,
    subject,
    message,
    symptom,
    evidence: evidenceOf(before),
    mend,
    mended: after === null ? null : evidenceOf(after),
  };
}

function evidenceOf({ flow, outcome, trace }: Observation): Evidence {
  const { events: _, ...rest } = trace;
  return { flow, outcome, trace: rest };
}

const keyOf = ({ id }: Check, subject: Subject): string => `${id} ${JSON.stringify(subject)}`;
