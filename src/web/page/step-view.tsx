import type { PacketRecord } from "../../trace/packet-record.ts";
import type { Step } from "../view/steps.ts";

/** The step that is read: place, words, the rules of a walk, and the packet's headers. */
export function StepView({ step, onInside }: { step: Step; onInside: (netns: string) => void }) {
  const { netns, device, words, children, packet, outer, timeUs, of } = step;
  return (
    <>
      <p class="now-place">
        <span class={`role ${of}`}>{outer ? `${of}, tunnel packet` : of}</span>
        <button type="button" class="link" onClick={() => onInside(netns)}>
          {netns}
        </button>
        {device !== null && <code>{device}</code>}
        <span class="time">{(timeUs / 1000).toFixed(3)} ms</span>
      </p>
      <p class={`now-words tone-${step.tone}`}>{words}</p>
      {children.length > 0 && (
        <ol class="walk">
          {children.map(({ text, depth }, i) => (
            <li key={i} class={depth === 3 ? "quiet" : ""}>
              {text}
            </li>
          ))}
        </ol>
      )}
      {packet !== null && <Headers packet={packet} />}
    </>
  );
}

/** The packet as layers, the outermost first. */
function Headers({ packet }: { packet: PacketRecord }) {
  const layers: PacketRecord[] = [];
  for (let one: PacketRecord | undefined = packet; one !== undefined; one = one.inner) layers.push(one);
  return (
    <ol class="headers" aria-label="Headers">
      {layers.map(({ protocol, source, destination, ttl, length, sourceMac, destinationMac }, i) => (
        <li key={i}>
          {i === 0 && sourceMac !== NO_MAC && (
            <span class="layer">
              <b>Ethernet</b> {sourceMac} → {destinationMac}
            </span>
          )}
          <span class="layer">
            <b>{protocol === "arp" ? "ARP" : `IPv4 ${protocol}`}</b> {source} → {destination}
            {protocol !== "arp" && `, ttl ${ttl}, ${length} bytes`}
          </span>
        </li>
      ))}
    </ol>
  );
}

const NO_MAC = "00:00:00:00:00:00";
