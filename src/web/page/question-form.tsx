import { useMemo } from "preact/hooks";
import type { Question, TopologyView } from "../view/api.ts";
import { sourceNames, targetNames } from "../view/names.ts";
import { Combobox } from "./combobox.tsx";

/** What the form holds, before it is a question: numbers as typed. */
export interface FormValues {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly sourcePort: string;
  readonly ttl: string;
  readonly size: string;
  readonly dontFragment: boolean;
  readonly noReply: boolean;
  readonly explore: boolean;
}

export const EMPTY_FORM: FormValues = {
  from: "",
  to: "",
  protocol: "",
  sourcePort: "",
  ttl: "",
  size: "",
  dontFragment: false,
  noReply: false,
  explore: false,
};

/** The question that the form's values make. */
export function questionOf(values: FormValues): Question {
  const number = (text: string): number | null => (text.trim() === "" ? null : Number(text));
  const [sourcePort, ttl, size] = [values.sourcePort, values.ttl, values.size].map(number);
  return {
    from: values.from.trim(),
    to: values.to.trim(),
    ...(values.protocol === "" ? {} : { protocol: values.protocol as NonNullable<Question["protocol"]> }),
    ...(sourcePort == null ? {} : { sourcePort }),
    ...(ttl == null ? {} : { ttl }),
    ...(size == null ? {} : { size }),
    ...(values.dontFragment ? { dontFragment: true } : {}),
    ...(values.noReply ? { reply: false } : {}),
  };
}

/** The form's values that make a question. */
export function formOf(question: Question, explore: boolean): FormValues {
  const { from, to, protocol, sourcePort, ttl, size, dontFragment, reply } = question;
  return {
    from,
    to,
    protocol: protocol ?? "",
    sourcePort: sourcePort?.toString() ?? "",
    ttl: ttl?.toString() ?? "",
    size: size?.toString() ?? "",
    dontFragment: dontFragment === true,
    noReply: reply === false,
    explore,
  };
}

interface QuestionFormProps {
  readonly view: TopologyView;
  readonly values: FormValues;
  readonly busy: boolean;
  readonly onValues: (values: FormValues) => void;
  readonly onRun: () => void;
}

/** Who sends what to whom. */
export function QuestionForm({ view, values, busy, onValues, onRun }: QuestionFormProps) {
  const sources = useMemo(() => sourceNames(view), [view]);
  const targets = useMemo(() => targetNames(view), [view]);
  const set = (part: Partial<FormValues>): void => onValues({ ...values, ...part });
  const extras = [values.sourcePort, values.ttl, values.size].filter((text) => text !== "").length;
  const chosen = extras + Number(values.dontFragment) + Number(values.noReply);
  return (
    <form
      class="question"
      aria-label="Packet"
      onSubmit={(event) => {
        event.preventDefault();
        onRun();
      }}
    >
      <Combobox
        label="From"
        value={values.from}
        names={sources}
        placeholder="pod/client"
        onValue={(from) => set({ from })}
        onEnter={onRun}
      />
      <Combobox
        label="To"
        value={values.to}
        names={targets}
        placeholder="svc/nginx:80"
        onValue={(to) => set({ to })}
        onEnter={onRun}
      />
      <div class="field protocol">
        <label for="protocol">Protocol</label>
        <select
          id="protocol"
          value={values.protocol}
          onChange={({ currentTarget }) => set({ protocol: currentTarget.value })}
        >
          <option value="">the port's own</option>
          <option value="tcp">tcp</option>
          <option value="udp">udp</option>
          <option value="icmp">icmp</option>
          <option value="sctp">sctp</option>
        </select>
      </div>
      <details class="options">
        <summary>Options{chosen > 0 ? ` (${chosen})` : ""}</summary>
        <div class="options-body">
          <NumberField
            label="Source port"
            value={values.sourcePort}
            most={65535}
            on={(sourcePort) => set({ sourcePort })}
          />
          <NumberField label="TTL" value={values.ttl} most={255} on={(ttl) => set({ ttl })} />
          <NumberField
            label="Size in bytes"
            value={values.size}
            least={0}
            most={65515}
            on={(size) => set({ size })}
          />
          <Check
            label="Don't fragment"
            value={values.dontFragment}
            on={(dontFragment) => set({ dontFragment })}
          />
          <Check label="No reply" value={values.noReply} on={(noReply) => set({ noReply })} />
        </div>
      </details>
      <Check label="Every branch" value={values.explore} on={(explore) => set({ explore })} />
      <button type="submit" class="primary" disabled={busy}>
        {busy ? "Tracing…" : "Trace"}
      </button>
    </form>
  );
}

interface NumberFieldProps {
  readonly label: string;
  readonly value: string;
  readonly least?: number;
  readonly most: number;
  readonly on: (value: string) => void;
}

function NumberField({ label, value, least = 1, most, on }: NumberFieldProps) {
  const id = `option-${label.toLowerCase().replaceAll(" ", "-")}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        inputMode="numeric"
        min={least}
        max={most}
        value={value}
        onInput={({ currentTarget }) => on(currentTarget.value)}
      />
    </div>
  );
}

interface CheckProps {
  readonly label: string;
  readonly value: boolean;
  readonly on: (value: boolean) => void;
}

/** A box to tick. */
export function Check({ label, value, on }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={({ currentTarget }) => on(currentTarget.checked)} />
      {label}
    </label>
  );
}
