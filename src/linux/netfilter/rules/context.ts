import type { HookState } from "../context.ts";
import type { RuleHost } from "./host.ts";
import type { RuleSetState } from "./state.ts";

/** `struct xt_action_param`: what an extension sees beside the packet. One object is reused for every walk. */
export interface RuleContext {
  at: HookState;
  host: RuleHost;
  readonly state: RuleSetState;
  /** Set by a match that wants the packet dropped at once. */
  hotdrop: boolean;
}
