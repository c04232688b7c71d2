/**
 * Work that is spread over threads, by piscina. A thread shares nothing with its parent: what it needs is copied to it
 * once (`data`), then it takes tasks one after another until there are none left.
 */
import { availableParallelism, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

/** Each worker holds a cluster of its own, of as much as this where clusters are large. */
const BYTES_EACH = 2 * 2 ** 30;

/**
 * New objects' room of each, in MiB, thrice what V8 gives: half as much time goes into collecting, most of which V8 would
 * take from the core that another worker has.
 */
const YOUNG_MIB = 192;

/** As many workers as there are cores, and as memory has room for: the container's, where one is limited. */
export function defaultWorkers(): number {
  const limit = process.constrainedMemory() ?? 0;
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return Math.max(1, Math.min(availableParallelism(), Math.floor(memory / BYTES_EACH)));
}

/** A worker ended before its work did: it ran out of memory, or something in it left the process. */
export class WorkerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "WorkerError";
  }
}

/** What workers do. */
export interface Work<Task, Result> {
  /** The module that they load; its default export takes a task and gives its result. */
  readonly module: URL;
  /** What each gets before its first task, as `workerData` of piscina. */
  readonly data: unknown;
  readonly tasks: readonly Task[];
  readonly workers: number;
  /** Options of node for the workers in the stead of this process's. */
  readonly execArgv?: readonly string[];
  /** Called as results come, in any order. */
  readonly onResult?: (result: Result, index: number) => void;
}

/**
 * Does all tasks and gives their results in the order of the tasks. What a task throws ends all of it and is thrown
 * here, as a copy: of its class only the message and the stack are left.
 *
 * @throws WorkerError when a worker ends.
 */
export async function inWorkers<Task, Result>(work: Work<Task, Result>): Promise<Result[]> {
  // only long work needs it
  const { Piscina } = await import("piscina");
  const threads = Math.max(1, Math.min(work.workers, work.tasks.length));
  const execArgv = [...(work.execArgv ?? []), ...loader(work.module)];
  const pool = new Piscina({
    filename: fileURLToPath(work.module),
    workerData: work.data,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    minThreads: threads,
    maxThreads: threads,
    // this process's own may be said here only by not saying them: V8's are refused otherwise
    ...(execArgv.length === 0 ? {} : { execArgv }),
  });
  try {
    return await new Promise<Result[]>((resolve, reject) => {
      // a worker that ends between two tasks; more than one may
      pool.on("error", reject);
      const results = work.tasks.map(async (task, index) => {
        const result = (await pool.run(task)) as Result;
        work.onResult?.(result, index);
        return result;
      });
      Promise.all(results).then(resolve, reject);
    });
  } catch (error) {
    throw explained(error);
  } finally {
    await pool.destroy();
  }
}

/**
 * A checkout's own TypeScript runs by the loader that it has; what is built needs none. Said to each worker by itself:
 * `--import tsx` is for main threads.
 */
function loader({ pathname }: URL): string[] {
  if (!pathname.endsWith(".ts") || !import.meta.url.endsWith(".ts")) return [];
  const api = import.meta.resolve("tsx/esm/api");
  return ["--import", `data:text/javascript,import { register } from "${api}"; register();`];
}

/** The module of that name beside the one that asks: `.js` where it is built, `.ts` in a checkout. */
export const moduleBeside = (asking: string, name: string): URL =>
  new URL(`${name}${asking.endsWith(".ts") ? ".ts" : ".js"}`, asking);

function explained(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ERR_WORKER_OUT_OF_MEMORY")
    return new WorkerError(
      "a worker ran out of memory: take fewer workers, or more memory (NODE_OPTIONS=--max-old-space-size)",
    );
  if (/^worker exited with code/.test(message)) return new WorkerError(`a ${message}, its work undone`);
  return error;
}
