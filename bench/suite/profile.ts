import { Session } from "node:inspector/promises";

/** The functions in which most samples of a CPU profile of `work` fell, as `12.3 % NAME FILE`. */
export async function hottest(work: () => void, count: number): Promise<string[]> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  work();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const total = profile.nodes.reduce((sum, node) => sum + (node.hitCount ?? 0), 0);
  const byFunction = new Map<string, number>();
  for (const { callFrame, hitCount = 0 } of profile.nodes) {
    const file = callFrame.url.split(/\/(?:src|dist)\//).at(-1) ?? "";
    const name = `${callFrame.functionName || "(anonymous)"} ${file}`.trim();
    byFunction.set(name, (byFunction.get(name) ?? 0) + hitCount);
  }
  return [...byFunction]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, hits]) => `${((100 * hits) / total).toFixed(1)} % ${name}`);
}
