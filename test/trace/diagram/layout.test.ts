import { describe, expect, it } from "vitest";
import type { PlacedBox } from "../../../src/trace/diagram/layout.ts";
import { laidOut, REQUESTS } from "./fixture.ts";

const encloses = (outer: PlacedBox, inner: PlacedBox): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width + 0.5 &&
  inner.y + inner.height <= outer.y + outer.height + 0.5;

const overlap = (a: PlacedBox, b: PlacedBox): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

describe("the layout", () => {
  it.each(REQUESTS)(
    "%s: boxes lie inside what they stand in and beside each other",
    async (_, request, topology) => {
      const { diagram, drawing } = await laidOut(request, topology);
      const placed = new Map(drawing.boxes.map((box) => [box.id, box]));
      expect(placed.size).toBe(diagram.boxes.length);
      for (const box of drawing.boxes) {
        if (box.parent !== null) expect(encloses(placed.get(box.parent)!, box), box.id).toBe(true);
        expect(box.x + box.width).toBeLessThanOrEqual(drawing.width);
        expect(box.y + box.height).toBeLessThanOrEqual(drawing.height);
        for (const other of drawing.boxes)
          if (other.id > box.id && other.parent === box.parent)
            expect(overlap(box, other), `${box.id} and ${other.id}`).toBe(false);
      }
      for (const legs of drawing.legs)
        for (const { from, to, points } of legs) expect(points.length, `${from} > ${to}`).toBeGreaterThan(1);
    },
  );

  it("is the same every time", async () => {
    const [, request, topology] = REQUESTS[0]!;
    expect((await laidOut(request, topology)).drawing).toEqual((await laidOut(request, topology)).drawing);
  });
});
