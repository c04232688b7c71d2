/** Arrow keys on the map go from item to the nearest one in that direction. */

const DIRECTIONS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Counts what lies aside as further away than what lies ahead. */
const ASIDE = 2.5;

/** Handles a key pressed somewhere in the map's pane. */
export function moveFocus(event: KeyboardEvent): void {
  const direction = DIRECTIONS[event.key];
  const pane = event.currentTarget as HTMLElement;
  const target = event.target as HTMLElement;
  if (direction === undefined || target.closest(".pick-card") !== null) return;
  event.preventDefault();
  event.stopPropagation();
  const items = [...pane.querySelectorAll<HTMLElement>("[data-item]")];
  const next = target === pane ? items[0] : nearest(items, target, direction);
  next?.focus();
}

function nearest(
  items: readonly HTMLElement[],
  from: HTMLElement,
  [dx, dy]: readonly [number, number],
): HTMLElement | undefined {
  const here = centre(from);
  let best: HTMLElement | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const item of items) {
    if (item === from) continue;
    const there = centre(item);
    const ahead = (there.x - here.x) * dx + (there.y - here.y) * dy;
    const aside = Math.abs((there.x - here.x) * dy) + Math.abs((there.y - here.y) * dx);
    if (ahead <= 1) continue;
    const distance = ahead + aside * ASIDE;
    if (distance < least) [best, least] = [item, distance];
  }
  return best;
}

/** A node's box is named at its top, and its pods lie in it. */
function centre(item: HTMLElement): { x: number; y: number } {
  const { left, top, width, height } = item.getBoundingClientRect();
  return { x: left + width / 2, y: top + (item.classList.contains("node") ? 20 : height / 2) };
}
