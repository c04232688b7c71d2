import { DecodeError, type TunnelPorts } from "../packet/codec/index.ts";
import type { CapturedFrame, FlowAnswer } from "./agent.ts";
import { decodeCaptured } from "./capture.ts";
import { counted } from "./counters.ts";
import type { FlowRecord, Frame } from "./record.ts";

/** The agent's answer as a record. `before` holds the counters as they were before the flow. */
export function kernelRecord(
  answer: FlowAnswer,
  before: Readonly<Record<string, string>>,
  ports: TunnelPorts,
): FlowRecord {
  return {
    frames: answer.frames.map((frame) => frameOf(frame, ports)),
    sender: answer.sender,
    receivers: answer.receivers,
    conntrack: answer.conntrack,
    counts: Object.entries(answer.counters).flatMap(([netns, after]) =>
      counted(netns, before[netns] ?? "", after),
    ),
  };
}

function frameOf(captured: CapturedFrame, ports: TunnelPorts): Frame {
  const [netns, device, direction, link, base64, timeUs] = captured;
  const common = { netns, device, direction, timeUs, link };
  try {
    return {
      ...common,
      packet: decodeCaptured(Buffer.from(base64, "base64"), link, ports),
      unreadable: null,
    };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { ...common, packet: null, unreadable: `${error.message} (${base64})` };
  }
}
