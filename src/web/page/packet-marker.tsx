import { useEffect, useRef } from "preact/hooks";
import type { Point } from "../view/map-layout.ts";

interface PacketMarkerProps {
  /** The way to where the packet is now; its last point is that place. */
  readonly way: readonly Point[];
  readonly outer: boolean;
  readonly tone: string;
}

const PER_PIXEL_MS = 1.6;
const SHORTEST_MS = 160;
const LONGEST_MS = 1100;

const translate = ({ x, y }: Point): string => `translate(${x}px, ${y}px)`;

/** The packet, which moves along the way, or stands at its end at once for those who want less motion. */
export function PacketMarker({ way, outer, tone }: PacketMarkerProps) {
  const marker = useRef<HTMLDivElement>(null);
  const end = way[way.length - 1];
  useEffect(() => {
    if (marker.current === null || way.length < 2) return undefined;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return undefined;
    const lengths = way.slice(1).map((point, i) => Math.hypot(point.x - way[i]!.x, point.y - way[i]!.y));
    const total = lengths.reduce((sum, length) => sum + length, 0);
    if (total === 0) return undefined;
    let gone = 0;
    const frames = way.map((point, i) => {
      if (i > 0) gone += lengths[i - 1]!;
      return { transform: translate(point), offset: Math.min(1, gone / total) };
    });
    const duration = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, total * PER_PIXEL_MS));
    const animation = marker.current.animate(frames, { duration, easing: "ease-in-out" });
    return () => animation.cancel();
  }, [way]);
  if (end === undefined) return null;
  return (
    <div
      ref={marker}
      class={`packet tone-${tone}${outer ? " outer" : ""}`}
      style={{ transform: translate(end) }}
      aria-hidden="true"
    >
      <span />
    </div>
  );
}
