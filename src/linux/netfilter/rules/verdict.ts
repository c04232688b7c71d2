/** What a walk through a table ends with. The first two are the kernel's own numbers. */
export const WALK_DROP = 0;
export const WALK_ACCEPT = 1;
/** A NAT target decided: the walk's `natTarget` says which. For the packet it is an accept. */
export const WALK_NAT = 2;
/** REJECT decided: the packet ends here and the sender is told by the walk's `reject`. */
export const WALK_REJECT = 3;
export type WalkVerdict = 0 | 1 | 2 | 3;

/** What a target asks of the walk: a verdict above, or one of these. */
export const TARGET_CONTINUE = 4;
export const TARGET_RETURN = 5;
export const TARGET_JUMP = 6;
export const TARGET_GOTO = 7;
/** Run the target's function; it says continue or drop. */
export const TARGET_EXECUTE = 8;
export type TargetCode = WalkVerdict | 4 | 5 | 6 | 7 | 8;

/** What a target's function says. */
export type TargetOutcome = typeof WALK_DROP | typeof TARGET_CONTINUE;
