/** The page's side of the API. */
import type {
  ErrorAnswer,
  FaultView,
  Question,
  SourceText,
  StartAnswer,
  StateAnswer,
  TopologyAnswer,
  TraceAnswer,
} from "../view/api.ts";
import type { Schema } from "../view/schema-words.ts";

/** What cannot be done, in words, with the topology's faults if those are the reason. */
export class ApiError extends Error {
  readonly faults: readonly FaultView[];

  constructor({ error, faults = [] }: ErrorAnswer) {
    super(error);
    this.faults = faults;
  }
}

/** Which of the ways of chance. */
export interface Which {
  readonly explore: boolean;
  readonly branch: number;
}

export const fetchStart = async (): Promise<StartAnswer> =>
  (await answered(await fetch("/api/topology"))).json() as Promise<StartAnswer>;

/** The JSON Schema of podpath's own kinds. */
export const fetchSchema = async (): Promise<Schema> =>
  (await answered(await fetch("/api/schema"))).json() as Promise<Schema>;

export const openTopology = async (sources: readonly SourceText[]): Promise<TopologyAnswer> =>
  (await post("topology", { sources })).json() as Promise<TopologyAnswer>;

/** A topology that is asked about: by its id, and anew by its sources when the server has forgotten it. */
export interface Topic {
  readonly id: string;
  readonly sources: readonly SourceText[];
}

export const fetchTrace = async (topic: Topic, question: Question, which: Which): Promise<TraceAnswer> =>
  (await ask("trace", topic, { question, ...which })).json() as Promise<TraceAnswer>;

export const fetchState = async (
  topic: Topic,
  netns: string,
  after: (Which & { readonly question: Question }) | null,
): Promise<StateAnswer> =>
  (await ask("state", topic, { netns, ...(after ?? {}) })).json() as Promise<StateAnswer>;

export const fetchDownload = async (
  topic: Topic,
  question: Question,
  which: Which,
  format: string,
): Promise<Blob> => (await ask("download", topic, { question, ...which, format })).blob();

async function ask(path: string, { id, sources }: Topic, body: object): Promise<Response> {
  try {
    return await post(path, { topology: id, ...body });
  } catch (error) {
    if (!(error instanceof ForgottenError)) throw error;
    return post(path, { sources, ...body });
  }
}

class ForgottenError extends ApiError {}

async function post(path: string, body: object): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return answered(await fetch(`/api/${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

async function answered(response: Response): Promise<Response> {
  if (response.ok) return response;
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  const answer = isJson
    ? ((await response.json()) as ErrorAnswer)
    : { error: `the server answers ${response.status}` };
  throw answer.forgotten === true ? new ForgottenError(answer) : new ApiError(answer);
}
