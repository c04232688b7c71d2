import { useEffect, useMemo, useState } from "preact/hooks";
import type { Trace } from "../../trace/trace.ts";
import type { StateAnswer, TopologyView } from "../view/api.ts";
import { ruleLines, searchLines } from "../view/rule-lines.ts";
import { netnsOf } from "../view/tiles.ts";
import { fetchState, type Topic } from "./client.ts";
import { Check } from "./question-form.tsx";
import type { Result } from "./result.ts";
import { Tabs } from "./tabs.tsx";
import { useSettled } from "./use-settled.ts";

interface InsidePanelProps {
  readonly topic: Topic;
  readonly view: TopologyView;
  readonly netns: string;
  readonly result: Result | null;
  readonly onNetns: (netns: string) => void;
}

const KINDS = [
  { key: "rules", title: "Rules" },
  { key: "routes", title: "Routes" },
  { key: "addresses", title: "Addresses" },
  { key: "fdb", title: "FDB" },
  { key: "neighbours", title: "ARP" },
  { key: "conntrack", title: "Conntrack" },
] as const;
type Kind = (typeof KINDS)[number]["key"];

const COMMANDS: Readonly<Record<Kind, string>> = {
  rules: "iptables-save",
  routes: "ip route",
  addresses: "ip addr",
  fdb: "bridge fdb show",
  neighbours: "ip neigh",
  conntrack: "conntrack -L",
};

/** What the real tools would print in a namespace, after the packet has been there. */
export function InsidePanel({ topic, view, netns, result, onNetns }: InsidePanelProps) {
  const [state, setState] = useState<StateAnswer | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [kind, setKind] = useState<Kind>("rules");
  useEffect(() => {
    let isCurrent = true;
    const after =
      result === null
        ? null
        : { question: result.question, explore: result.explore, branch: result.answer.branch };
    fetchState(topic, netns, after).then(
      (answer) => {
        if (!isCurrent) return;
        setState(answer);
        setError(null);
      },
      (reason: Error) => isCurrent && setError(reason.message),
    );
    return () => {
      isCurrent = false;
    };
  }, [topic, netns, result]);
  return (
    <>
      <div class="inside-tools field">
        <label for="inside-netns">Namespace</label>
        <select
          id="inside-netns"
          value={netns}
          onChange={({ currentTarget }) => onNetns(currentTarget.value)}
        >
          <NamespaceOptions view={view} visited={result?.answer.trace ?? null} chosen={netns} />
        </select>
        <span class="hint">{result === null ? "as it is at the start" : "as the packet leaves it"}</span>
      </div>
      {error !== null && (
        <div class="message bad" role="alert">
          {error}
        </div>
      )}
      <Tabs label="State of the namespace" tabs={KINDS} chosen={kind} onChoose={setKind} class="inner">
        {state !== null && kind === "rules" && (
          <Rules text={state.rules} netns={state.netns} trace={result?.answer.trace ?? null} />
        )}
        {state !== null && kind !== "rules" && (
          <>
            <p class="command">$ {COMMANDS[kind]}</p>
            <pre
              class="output"
              // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys
              tabIndex={0}
            >
              {state[kind] === "" ? NOTHING[kind] : state[kind]}
            </pre>
          </>
        )}
      </Tabs>
    </>
  );
}

const NOTHING: Readonly<Record<Exclude<Kind, "rules">, string>> = {
  routes: "(no routes)",
  addresses: "(no devices)",
  fdb: "(no entries)",
  neighbours: "(no neighbours)",
  conntrack: "(no connections)",
};

const MOST_PODS = 300;

function NamespaceOptions(props: {
  readonly view: TopologyView;
  readonly visited: Trace | null;
  readonly chosen: string;
}) {
  const { view, visited, chosen } = props;
  const onTheWay = [...new Set((visited?.events ?? []).map(({ netns }) => netns))];
  const pods = view.pods.filter(({ hostNetwork }) => !hostNetwork).map(netnsOf);
  const shown = pods.slice(0, MOST_PODS);
  const known = new Set([
    ...onTheWay,
    ...view.nodes.map(({ name }) => name),
    ...view.hosts.map(({ name }) => name),
  ]);
  const isMissing = !known.has(chosen) && !shown.includes(chosen);
  return (
    <>
      {isMissing && <option value={chosen}>{chosen}</option>}
      {onTheWay.length > 0 && <Group label="On the packet's way" names={onTheWay} />}
      <Group
        label="Nodes"
        names={view.nodes.map(({ name }) => name).filter((name) => !onTheWay.includes(name))}
      />
      <Group
        label="Hosts"
        names={view.hosts.map(({ name }) => name).filter((name) => !onTheWay.includes(name))}
      />
      <Group label="Pods" names={shown.filter((name) => !onTheWay.includes(name))} />
    </>
  );
}

function Group({ label, names }: { label: string; names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <optgroup label={label}>
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </optgroup>
  );
}

const PAGE = 150;

function Rules({ text, netns, trace }: { text: string; netns: string; trace: Trace | null }) {
  const [search, setSearch] = useState("");
  const [onlyMatched, setOnlyMatched] = useState(false);
  const [most, setMost] = useState(PAGE);
  const lines = useMemo(() => ruleLines(text, netns, trace), [text, netns, trace]);
  const settled = useSettled(search);
  const shown = useMemo(() => searchLines(lines, settled, onlyMatched), [lines, settled, onlyMatched]);
  const matched = useMemo(() => lines.filter((line) => line.matched.length > 0).length, [lines]);
  const rules = useMemo(() => lines.filter(({ number }) => number > 0).length, [lines]);
  return (
    <>
      <div class="rule-tools">
        <input
          type="search"
          aria-label="Search the rules"
          placeholder="Search rules: KUBE-SVC 30088"
          value={search}
          onInput={({ currentTarget }) => {
            setSearch(currentTarget.value);
            setMost(PAGE);
          }}
        />
        <Check label={`Matched only (${matched})`} value={onlyMatched} on={setOnlyMatched} />
      </div>
      <p class="command">
        $ iptables-save <span class="hint">{rules} rules</span>
      </p>
      <ol
        class="rule-list"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys
        tabIndex={0}
        aria-label="Rules"
      >
        {shown.slice(0, most).map((line, i) => (
          <li key={i} class={line.matched.length > 0 ? "matched" : line.number === 0 ? "frame" : ""}>
            {line.matched.length > 0 && (
              <span class="match-mark">
                <span class="visually-hidden">matched by </span>
                {line.matched.join(", ")}
              </span>
            )}
            <code>{line.text}</code>
          </li>
        ))}
      </ol>
      {shown.length === 0 && <p class="hint">No rule is like that.</p>}
      {shown.length > most && (
        <button type="button" class="show-more" onClick={() => setMost(most + 4 * PAGE)}>
          Show {Math.min(4 * PAGE, shown.length - most)} more of {shown.length}
        </button>
      )}
    </>
  );
}
