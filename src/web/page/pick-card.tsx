import { useEffect, useRef } from "preact/hooks";
import { factsOf, type Item } from "./item.ts";

interface PickCardProps {
  readonly item: Item;
  readonly zoom: number;
  /** Width of the map in pixels, beyond which the card does not go. */
  readonly within: number;
  readonly onFrom: (text: string) => void;
  readonly onTo: (text: string) => void;
  readonly onInside: (netns: string) => void;
  readonly onClose: () => void;
}

const CARD_WIDTH = 270;

/** What can be done with what was chosen on the map. */
export function PickCard({ item, zoom, within, onFrom, onTo, onInside, onClose }: PickCardProps) {
  const card = useRef<HTMLDivElement>(null);
  const { title, facts, source, targets, netns } = factsOf(item);
  useEffect(() => {
    card.current?.querySelector("button")?.focus({ preventScroll: true });
    card.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [item.id]);
  const top = (item.rect.y + Math.min(item.rect.h, 54)) * zoom + 4;
  return (
    <div
      ref={card}
      class="pick-card"
      role="dialog"
      aria-label={title}
      style={{
        left: `${Math.max(8, Math.min(item.rect.x * zoom, within - CARD_WIDTH - 8))}px`,
        top: `${top}px`,
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      <div class="pick-title">
        <strong>{title}</strong>
        <button type="button" class="icon" aria-label="Close" onClick={onClose}>
          ×
        </button>
      </div>
      <p>{facts.join(" · ")}</p>
      <div class="pick-actions">
        {source !== null && (
          <button type="button" onClick={() => onFrom(source)}>
            Send from here
          </button>
        )}
        {targets.map((target) => (
          <button key={target} type="button" onClick={() => onTo(target)}>
            Send to {target.replace(/^(?:pod|svc|node|host)\/.*(?=:)/, "")}
          </button>
        ))}
        {item.kind !== "service" && targets.length === 0 && (
          <button type="button" onClick={() => onTo(title)}>
            Send to it (icmp)
          </button>
        )}
        {netns !== null && (
          <button type="button" onClick={() => onInside(netns)}>
            Look inside
          </button>
        )}
      </div>
    </div>
  );
}
