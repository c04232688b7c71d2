import type { TraceEvent } from "./event.ts";
import type { TraceProtocol } from "./request.ts";

/**
 * How it ended: `delivered` to a socket; `refused` by a destination on which nobody listens; `rejected` by a REJECT
 * rule; `expired` (TTL) or `unreachable` with the sender told so; `dropped` in all other cases, where the sender
 * hears nothing.
 */
export type Verdict = "delivered" | "refused" | "rejected" | "dropped" | "expired" | "unreachable";

/** Where a packet ended. `rule` counts from 1; null where none or the chain's policy decided. */
export interface Place {
  readonly netns: string;
  readonly device: string | null;
  readonly hook: string | null;
  readonly table: string | null;
  readonly chain: string | null;
  readonly rule: number | null;
}

/** An ICMP error, and who sent it (a dotted quad). */
export interface IcmpError {
  readonly type: number;
  readonly code: number;
  readonly from: string;
}

/** The request as the socket that received it sees it. Addresses are `IP:PORT`, for icmp `IP`. */
export interface Delivered {
  readonly netns: string;
  /** `NAMESPACE/NAME` of the pod whose namespace or (in its node's network) whose container it is; otherwise null. */
  readonly pod: string | null;
  readonly container: string | null;
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
}

/** The answer as the socket that asked sees it; addresses and TTL as they were where the answer ended. */
export interface Reply {
  readonly verdict: Verdict;
  readonly reason: string | null;
  readonly at: Place | null;
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  /** An ICMP error that the answering side got back. */
  readonly icmp: IcmpError | null;
}

/** Which packet an entry of `path` or `rules` is about: the request itself, or the tunnel's packet around it. */
export type RequestPart = "request" | "request-outer";

export interface PathEntry {
  readonly netns: string;
  readonly device: string;
  readonly direction: "tx" | "rx";
  /** Virtual microseconds since the simulation began. */
  readonly time_us: number;
  readonly of: RequestPart;
}

export interface RuleEntry {
  readonly netns: string;
  readonly hook: string;
  readonly table: string;
  readonly chain: string;
  /** From 1, as `iptables -L --line-numbers` counts. */
  readonly rule: number;
  readonly target: string;
  readonly of: RequestPart;
}

/** A connection that the flow made or used, as it stands after the flow. */
export interface ConntrackEntry {
  readonly netns: string;
  readonly protocol: string;
  /** `S:p>D:p` */
  readonly original: string;
  readonly reply: string;
  /** TCP's or SCTP's state by conntrack's name; null for protocols without one. */
  readonly state: string | null;
  readonly flags: readonly ("UNREPLIED" | "ASSURED")[];
  readonly mark: number;
}

/** What became of one packet: `podpath trace -o json` prints it. */
export interface Trace {
  readonly apiVersion: "podpath.dev/v1alpha1";
  readonly kind: "Trace";
  readonly request: {
    readonly from: string;
    readonly to: string;
    readonly protocol: TraceProtocol;
    readonly source: string;
    readonly destination: string;
    readonly ttl: number;
    /** See TraceRequest.size. */
    readonly size: number;
  };
  readonly verdict: Verdict;
  /** A Linux drop reason without SKB_DROP_REASON_; null when delivered, or when the kernel dropped nothing. */
  readonly reason: string | null;
  readonly at: Place | null;
  readonly delivered: Delivered | null;
  /** Null when nothing was delivered or nothing answered. */
  readonly reply: Reply | null;
  /** The TCP reset that came back, as the sender sees it. */
  readonly reset: { readonly source: string; readonly destination: string; readonly ttl: number } | null;
  /** The errno that the sender's own namespace gave it at once. */
  readonly errno: string | null;
  readonly icmp: IcmpError | null;
  readonly path: readonly PathEntry[];
  /** Every rule that matched the request or the tunnel's packet around it, in order. Policies are no rules. */
  readonly rules: readonly RuleEntry[];
  readonly rulesEvaluated: number;
  readonly conntrack: readonly ConntrackEntry[];
  readonly events: readonly TraceEvent[];
}

/** The version all of podpath's own objects have. */
export const API_VERSION = "podpath.dev/v1alpha1";
