/** The window through which the map is looked at. */
import type { Point } from "../view/map-layout.ts";

/** Scrolls the map so that a point of it can be seen. */
export function keepInView(pane: HTMLElement | null, point: Point | undefined, zoom: number): void {
  if (pane === null || point === undefined) return;
  const [x, y] = [point.x * zoom, point.y * zoom];
  const margin = 60;
  const isOut =
    x < pane.scrollLeft + margin / 2 ||
    x > pane.scrollLeft + pane.clientWidth - margin / 2 ||
    y < pane.scrollTop + margin / 2 ||
    y > pane.scrollTop + pane.clientHeight - margin / 2;
  if (!isOut) return;
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  pane.scrollTo({ left: x - pane.clientWidth / 2, top: y - pane.clientHeight / 2, behavior });
}

/** The map moves with the mouse; fingers scroll it as they scroll anything. */
export function dragPane(event: PointerEvent, pane: HTMLElement): void {
  const target = event.target as HTMLElement;
  if (event.pointerType !== "mouse" || event.button !== 0 || target.closest("button, .pick-card") !== null)
    return;
  const [x, y, left, top] = [event.clientX, event.clientY, pane.scrollLeft, pane.scrollTop];
  const move = (moved: PointerEvent): void => {
    pane.scrollLeft = left + x - moved.clientX;
    pane.scrollTop = top + y - moved.clientY;
  };
  const end = (): void => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", end);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", end);
}
