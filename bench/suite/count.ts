/** A worker that only counts: what the machine's cores give. */
export default function count(steps: number): number {
  let x = 1;
  for (let i = 0; i < steps; i++) x = (x * 1664525 + 1013904223) | 0;
  return x;
}
