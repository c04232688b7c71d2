import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { SourceText, StartAnswer, TopologyAnswer } from "../view/api.ts";
import { type Linked, linkOf, readLink } from "../view/question-link.ts";
import { fetchStart, type Topic } from "./client.ts";
import { InsidePanel } from "./inside-panel.tsx";
import { TopologyMap } from "./map.tsx";
import { EMPTY_FORM, type FormValues, formOf, QuestionForm, questionOf } from "./question-form.tsx";
import { useStepKeys } from "./step-keys.ts";
import { Tabs } from "./tabs.tsx";
import { TakeAway } from "./take-away.tsx";
import { TracePanel } from "./trace-panel.tsx";
import { useTrace } from "./use-trace.ts";
import { YamlPanel } from "./yaml-panel.tsx";

/** The whole page, once the server has said what it is about. */
export function App() {
  const [start, setStart] = useState<StartAnswer | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    fetchStart().then(setStart, (reason: Error) => setError(reason.message));
  }, []);
  if (error !== null)
    return (
      <main>
        <p class="message bad" role="alert">
          {error}
        </p>
      </main>
    );
  if (start === null) return <main class="loading">Loading the topology…</main>;
  return <Page start={start} />;
}

const PANELS = [
  { key: "trace", title: "Trace" },
  { key: "inside", title: "Inside" },
  { key: "yaml", title: "Topology" },
] as const;
type Panel = (typeof PANELS)[number]["key"];

function Page({ start }: { start: StartAnswer }) {
  const linked = useMemo(() => readLink(location.hash), []);
  const [topology, setTopology] = useState<TopologyAnswer>(start.topology);
  const [sources, setSources] = useState<readonly SourceText[]>(start.sources);
  const [draft, setDraft] = useState<readonly SourceText[]>(start.sources);
  const [form, setForm] = useState<FormValues>(
    linked === null ? EMPTY_FORM : formOf(linked.question, linked.explore),
  );
  const [panel, setPanel] = useState<Panel>("trace");
  const [netns, setNetns] = useState(
    start.topology.view.nodes[0]?.name ?? start.topology.view.hosts[0]?.name ?? "",
  );
  const topic = useMemo<Topic>(() => ({ id: topology.id, sources }), [topology, sources]);
  const trace = useTrace();
  const { result, steps, position, last } = trace;
  const run = (asked: FormValues, about: Topic): void => {
    setPanel("trace");
    void trace.ask(about, questionOf(asked), asked.explore, 0, 1);
  };
  useEffect(() => {
    if (linked !== null) void trace.ask(topic, linked.question, linked.explore, linked.branch, linked.step);
  }, []);
  useEffect(() => {
    if (result === null) return;
    const { question, explore, answer } = result;
    const link = linkOf({ question, explore, branch: answer.branch, step: position + 1 });
    history.replaceState(null, "", `#${link}`);
  }, [result, position]);
  useLinkChange((link) => {
    setForm(formOf(link.question, link.explore));
    void trace.ask(topic, link.question, link.explore, link.branch, link.step);
  });
  useStepKeys(trace);
  const lookInside = useCallback((name: string) => {
    setNetns(name);
    setPanel("inside");
  }, []);
  const setFrom = useCallback((from: string) => setForm((values) => ({ ...values, from })), []);
  const setTo = useCallback((to: string) => {
    setForm((values) => ({ ...values, to, ...(/:\d+$/.test(to) ? {} : { protocol: "icmp" }) }));
  }, []);
  return (
    <div class="page">
      <header class="top">
        <h1>
          podpath <span class="topology-name">{topology.view.name}</span>
        </h1>
        <QuestionForm
          view={topology.view}
          values={form}
          busy={trace.busy}
          onValues={setForm}
          onRun={() => run(form, topic)}
        />
        <TakeAway topic={topic} result={result} formats={start.downloads} />
      </header>
      <main class="main">
        <TopologyMap
          view={topology.view}
          steps={result?.steps ?? NO_STEPS}
          current={steps[position] ?? null}
          last={last}
          from={form.from}
          to={form.to}
          onFrom={setFrom}
          onTo={setTo}
          onInside={lookInside}
        />
        <div class="panel">
          <Tabs label="Panels" tabs={PANELS} chosen={panel} onChoose={setPanel}>
            {panel === "trace" && (
              <TracePanel
                {...trace}
                onPosition={trace.goTo}
                onLevel={trace.setLevel}
                onPlaying={trace.setPlaying}
                onInside={lookInside}
                onBranch={(branch) => {
                  if (result !== null) void trace.ask(topic, result.question, true, branch, 1);
                }}
              />
            )}
            {panel === "inside" && (
              <InsidePanel
                topic={topic}
                view={topology.view}
                netns={netns}
                result={result}
                onNetns={setNetns}
              />
            )}
            {panel === "yaml" && (
              <YamlPanel
                draft={draft}
                applied={sources}
                warnings={topology.warnings}
                onDraft={setDraft}
                onRevert={() => setDraft(sources)}
                onApply={(answer, texts) => {
                  setTopology(answer);
                  setSources(texts);
                  if (form.from !== "" && form.to !== "") run(form, { id: answer.id, sources: texts });
                }}
              />
            )}
          </Tabs>
        </div>
      </main>
    </div>
  );
}

const NO_STEPS: readonly never[] = [];

/** Somebody has put another question into the address bar. */
function useLinkChange(onLink: (link: Linked) => void): void {
  const latest = useRef(onLink);
  latest.current = onLink;
  useEffect(() => {
    const changed = (): void => {
      const link = readLink(location.hash);
      if (link !== null) latest.current(link);
    };
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
}
