import { combination, type FlowCase, SERVICE_PORT, SimulatedFlow } from "./kernel/cases.ts";
import { benchCluster } from "./suite/built.ts";
import { answerRequests } from "./suite/process.ts";
import { hottest } from "./suite/profile.ts";

/**
 * The process in which `npm run bench:kernel` simulates one flow: as in `npm run bench`, a process each, so that none pays
 * for another's memory.
 */

export interface SimulateRequest extends Pick<FlowCase, "kind" | "services"> {
  /** Address of the Service. */
  readonly destination: number;
  readonly seconds: number;
  readonly payload: number;
  /** Where does the time go? The rate is not to be trusted then. */
  readonly profiled: boolean;
}

export interface SimulateAnswer {
  readonly perSecond: number;
  /** Empty when not profiled. */
  readonly hottest: readonly string[];
}

const PROFILED_FUNCTIONS = 10;

let flow: SimulatedFlow | undefined;

function prepare({ kind, services, destination }: SimulateRequest): SimulatedFlow {
  const bench = benchCluster(combination(services));
  return new SimulatedFlow(bench, kind, destination, SERVICE_PORT);
}

answerRequests(async (request: SimulateRequest): Promise<SimulateAnswer> => {
  flow ??= prepare(request);
  const { seconds, payload, profiled } = request;
  let perSecond = 0;
  const run = (): void => {
    perSecond = flow!.rate(seconds, payload);
  };
  if (profiled) return { hottest: await hottest(run, PROFILED_FUNCTIONS), perSecond };
  run();
  return { perSecond, hottest: [] };
});
