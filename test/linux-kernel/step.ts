import { encodeFrame, encodeIp } from "../../src/packet/codec/index.ts";
import type { Packet } from "../../src/packet/packet.ts";
import type { Plan } from "../linux/lab.ts";

/** One thing that is done to a network; the same here and in the kernel. */
export type Step =
  /** A packet leaves a raw socket with a header of its own (IP_HDRINCL). */
  | { readonly do: "send"; readonly in: string; readonly packet: Packet; readonly times?: number }
  /** A frame is put on a device (AF_PACKET): nothing above the device has seen it. */
  | { readonly do: "inject"; readonly at: string; readonly packet: Packet }
  /** A datagram from a UDP socket, `from` bound when it has an address or port. */
  | {
      readonly do: "udp";
      readonly in: string;
      readonly from?: string;
      readonly to: string;
      readonly bytes: number;
      readonly discovery?: "want" | "do" | "dont";
    }
  | { readonly do: "connect"; readonly in: string; readonly from: string; readonly to: string }
  /** A server that answers every datagram with as many bytes, or accepts connections and says nothing. */
  | {
      readonly do: "serve";
      readonly in: string;
      readonly protocol: "tcp" | "udp";
      readonly at: string;
      readonly bytes?: number;
    }
  | { readonly do: "ip"; readonly in: string; readonly words: string }
  | { readonly do: "sysctl"; readonly in: string; readonly key: string; readonly value: number }
  | { readonly do: "wait"; readonly ms: number };

/** A plan, what is done in it, and what it is about. */
export interface Situation {
  readonly name: string;
  readonly plan: Plan;
  readonly steps: readonly Step[];
  /** Namespaces whose connections and counters are compared. */
  readonly inspect?: readonly string[];
  /** Their connections are compared after every step, with timeouts to within ten seconds. */
  readonly follow?: boolean;
}

/** A situation in which every UDP socket without a port of its own has the port 5000 + the step's number. */
export const withPorts = (situation: Situation): Situation => ({
  ...situation,
  steps: situation.steps.map((step, i) =>
    step.do === "udp" && step.from === undefined ? { ...step, from: `0.0.0.0:${5000 + i}` } : step,
  ),
});

/** What can be seen of one step. */
export interface StepSeen {
  /** Frames by `namespace:device tx|rx`, in order, one line each. */
  readonly frames: Record<string, string[]>;
  /** errno of a send or of a connection, once it is known. */
  readonly errno: string | null;
  /** With `follow`: the connections of every inspected namespace after the step. */
  readonly connections: readonly string[];
}

export interface Seen {
  readonly steps: StepSeen[];
  /** By namespace: lines of `conntrack -L`, sorted, without timeouts. */
  readonly conntrack: Record<string, string[]>;
  /** By namespace: `iptables-save -c`, chain and rule lines that are not zero. */
  readonly counters: Record<string, string[]>;
}

/** Milliseconds that pass after a step before the next. */
export const STEP_MS = 50;

/** A step as the driver of the real kernel takes it: packets as hexadecimal bytes. */
export function stepForKernel(step: Step): Record<string, unknown> {
  if (step.do === "send") return { ...step, packet: hex(encodeIp(step.packet)) };
  if (step.do === "inject") return { ...step, packet: hex(encodeFrame(step.packet)) };
  return { ...step };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
