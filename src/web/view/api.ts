/** What the page and its server say to each other: JSON over POST on the page's own origin. */
import type { Trace } from "../../trace/trace.ts";

/** One file of a topology, as the user named it. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** What is wrong or odd at a place of a topology; `line` counts from 1, null where no line is meant. */
export interface FaultView {
  readonly file: string;
  readonly line: number | null;
  /** `Kind/name`, or "". */
  readonly object: string;
  /** Field path, or "". */
  readonly path: string;
  readonly message: string;
}

export interface PortView {
  readonly name: string | null;
  readonly port: number;
  readonly protocol: "tcp" | "udp" | "sctp";
}

interface SegmentView {
  readonly name: string;
  readonly subnet: string;
}

export interface NicView {
  readonly name: string;
  readonly segment: string;
  readonly addresses: readonly string[];
}

export interface NodeView {
  readonly name: string;
  readonly ip: string;
  readonly podCIDR: string;
  readonly nic: NicView;
  readonly bridge: string;
  readonly bridgeAddress: string;
  /** flannel's own device (`flannel0`, `flannel.1`); null under host-gw. */
  readonly tunnel: string | null;
  readonly ports: readonly PortView[];
}

export interface HostView {
  readonly name: string;
  readonly nics: readonly NicView[];
  readonly ports: readonly PortView[];
}

export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly ip: string;
  readonly hostNetwork: boolean;
  readonly ready: boolean;
  /** What it is one of several of: the workload's name, or its own without what was generated. */
  readonly group: string;
  /** The node's end of its wire; null in the node's own network. */
  readonly veth: string | null;
  readonly ports: readonly PortView[];
}

export interface ServiceView {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  /** Null for headless and ExternalName Services. */
  readonly clusterIP: string | null;
  /** externalIPs and those of the load balancer. */
  readonly external: readonly string[];
  readonly ports: readonly (PortView & { readonly nodePort: number | null })[];
  /** How many endpoints are ready. */
  readonly endpoints: number;
}

/** A topology as the page draws it. */
export interface TopologyView {
  readonly name: string;
  readonly serviceCIDR: string;
  readonly podNetwork: string;
  readonly backend: string;
  readonly segments: readonly SegmentView[];
  readonly nodes: readonly NodeView[];
  readonly hosts: readonly HostView[];
  readonly pods: readonly PodView[];
  readonly services: readonly ServiceView[];
}

/** `GET /api/topology` and `POST /api/topology`. */
export interface TopologyAnswer {
  /** Names the sources in later requests; equal sources have equal ids. */
  readonly id: string;
  readonly view: TopologyView;
  readonly warnings: readonly FaultView[];
}

/** `GET /api/topology`: what the server was started with. */
export interface StartAnswer {
  readonly sources: readonly SourceText[];
  readonly seed: number;
  readonly topology: TopologyAnswer;
  /** What can be downloaded besides JSON. */
  readonly downloads: readonly string[];
}

/** A question about a packet, as `podpath trace` has it. */
export interface Question {
  readonly from: string;
  readonly to: string;
  readonly protocol?: "tcp" | "udp" | "icmp" | "sctp";
  readonly sourcePort?: number;
  readonly ttl?: number;
  readonly size?: number;
  readonly dontFragment?: boolean;
  readonly reply?: boolean;
}

/** One branch of chance without its events. */
export interface BranchView {
  readonly probability: number;
  /** `1/4`, `≈ 1/3`; null when no small fraction is near. */
  readonly fraction: string | null;
  readonly verdict: Trace["verdict"];
  readonly lines: readonly { readonly label: string; readonly text: string; readonly good: boolean }[];
}

/** `POST /api/trace`. With `explore`, `trace` is branch number `branch` (from 0) of all those in `branches`. */
export interface TraceAnswer {
  readonly trace: Trace;
  readonly branch: number;
  readonly branches: readonly BranchView[] | null;
}

/** `POST /api/state`: a namespace's state as the real tools print it there, after a question's packet if there is one. */
export interface StateAnswer {
  readonly netns: string;
  readonly rules: string;
  readonly routes: string;
  readonly addresses: string;
  readonly neighbours: string;
  readonly fdb: string;
  readonly conntrack: string;
}

/** The answer to what cannot be done: a line of text, or the faults of the topology. */
export interface ErrorAnswer {
  readonly error: string;
  readonly faults?: readonly FaultView[];
  /** The server has forgotten the topology of that id: send its sources again. */
  readonly forgotten?: true;
}
