/** The page's questions, each a POST of JSON that names a topology by id, and their answers. */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { TooManyBranchesError } from "../../analysis/explore/branching-chooser.ts";
import type { TraceSet } from "../../analysis/explore/trace-set.ts";
import { TopologyError } from "../../topology/load/fault.ts";
import type { Source } from "../../topology/load/source.ts";
import { topologySchema } from "../../topology/schema/schema.ts";
import { RequestError, type TraceRequest } from "../../trace/request.ts";
import type { ErrorAnswer, StartAnswer, TraceAnswer } from "../view/api.ts";
import { DOWNLOADS, type DownloadFormat } from "./download.ts";
import { answerBranch, answeredTrace, exploreAll, questionSchema, requestOf } from "./question.ts";
import { namespaceState } from "./state.ts";
import { asSources, faultViews, type OpenTopology, type Workspace } from "./workspace.ts";

/** A topology of tens of thousands of pods fits. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 1_000;

const sourcesSchema = z
  .array(z.strictObject({ file: z.string().max(4096), text: z.string() }))
  .min(1)
  .max(MAX_FILES);
const topologyBody = z.strictObject({ sources: sourcesSchema });
/** Which topology, by id or by its sources, and which of the ways of chance. */
const about = {
  topology: z.string().max(64).optional(),
  sources: sourcesSchema.optional(),
  explore: z.boolean().default(false),
  branch: z.int().min(0).default(0),
};
const traceBody = z.strictObject({ ...about, question: questionSchema });
const stateBody = z.strictObject({
  ...about,
  netns: z.string().max(1024),
  question: questionSchema.optional(),
});
const downloadBody = z.strictObject({
  ...about,
  question: questionSchema,
  format: z.enum(Object.keys(DOWNLOADS) as [DownloadFormat, ...DownloadFormat[]]),
});

/** The topology is not there any more. */
class ForgottenError extends Error {}

/** What is under `/api`. `sources` are those that the server was started with. */
export function apiRoutes(workspace: Workspace, sources: readonly Source[]): Hono {
  const api = new Hono();
  const explorations = new LastExploration(workspace.seed);
  api.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json({ error: "too large" }, 413) }));
  api.onError((error, c) => {
    const [status, answer] = errorAnswer(error);
    return c.json(answer, status);
  });
  api.get("/topology", (c) => c.json(startAnswer(workspace, sources)));
  api.get("/schema", (c) => c.json(topologySchema()));
  api.post("/topology", async (c) => {
    const body = topologyBody.parse(await jsonOf(c.req.raw));
    return c.json(workspace.load(asSources(body.sources)).answer);
  });
  const { seed } = workspace;
  api.post("/trace", async (c) => {
    const { question, explore, branch, ...which } = traceBody.parse(await jsonOf(c.req.raw));
    const opened = topologyOf(workspace, which);
    const request = requestOf(question);
    if (explore) return c.json(answerBranch(explorations.of(opened, request), branch));
    const trace = answeredTrace(opened.cluster, request, { explore, branch, seed }, { look: (one) => one });
    return c.json({ trace, branch, branches: null } satisfies TraceAnswer);
  });
  api.post("/state", async (c) => {
    const { netns, question, explore, branch, ...which } = stateBody.parse(await jsonOf(c.req.raw));
    const { cluster } = topologyOf(workspace, which);
    if (question === undefined) return c.json(namespaceState(cluster, netns));
    const look = () => namespaceState(cluster, netns);
    return c.json(answeredTrace(cluster, requestOf(question), { explore, branch, seed }, { look }));
  });
  api.post("/download", async (c) => {
    const { question, explore, branch, format, ...which } = downloadBody.parse(await jsonOf(c.req.raw));
    const { cluster } = topologyOf(workspace, which);
    const ask = { explore, branch, seed };
    const { type, body } = await DOWNLOADS[format](cluster, requestOf(question), ask);
    return c.body(body, 200, {
      "Content-Type": type,
      "Content-Disposition": `attachment; filename="trace.${format}"`,
    });
  });
  api.all("*", (c) => c.json({ error: "there is no such thing here" }, 404));
  return api;
}

/** A foreign page could send a form's body without asking; JSON it could not. */
async function jsonOf(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new RequestError("the body has to be application/json");
  try {
    return await request.json();
  } catch (error) {
    if (error instanceof SyntaxError) throw new RequestError("the body is no JSON");
    throw error;
  }
}

function topologyOf(
  workspace: Workspace,
  {
    topology,
    sources,
  }: { topology?: string | undefined; sources?: { file: string; text: string }[] | undefined },
): OpenTopology {
  if (sources !== undefined) return workspace.load(asSources(sources));
  if (topology === undefined) throw new RequestError("either topology or sources is needed");
  const found = workspace.find(topology);
  if (found === null) throw new ForgottenError("this topology is not open any more");
  return found;
}

function startAnswer(workspace: Workspace, sources: readonly Source[]): StartAnswer {
  return {
    sources: sources.flatMap((one) => ("text" in one ? [one] : [])),
    seed: workspace.seed,
    topology: workspace.load(sources).answer,
    downloads: Object.keys(DOWNLOADS),
  };
}

type ErrorStatus = 400 | 409 | 413 | 422 | 500;

function errorAnswer(error: unknown): [ErrorStatus, ErrorAnswer] {
  if (error instanceof TopologyError)
    return [422, { error: "the topology has faults", faults: faultViews(error.faults) }];
  if (error instanceof ForgottenError) return [409, { error: error.message, forgotten: true }];
  if (error instanceof RequestError) return [400, { error: error.message }];
  if (error instanceof TooManyBranchesError)
    return [400, { error: `${error.message}; podpath trace --explore has no such limit` }];
  if (error instanceof z.ZodError) return [400, { error: z.prettifyError(error) }];
  return [500, { error: `a fault of the program's own: ${error instanceof Error ? error.message : error}` }];
}

/** Stepping through branches asks for one after the other of the same exploration, so the last one is kept. */
class LastExploration {
  private readonly seed: number;
  private key = "";
  private set: TraceSet | null = null;

  constructor(seed: number) {
    this.seed = seed;
  }

  of({ answer, cluster }: OpenTopology, request: TraceRequest): TraceSet {
    const key = JSON.stringify([answer.id, request]);
    if (this.set === null || key !== this.key) {
      this.set = exploreAll(cluster, request, this.seed);
      this.key = key;
    }
    return this.set;
  }
}
