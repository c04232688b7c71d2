import type { Pod } from "kubernetes-types/core/v1.js";
import { endpointsOf } from "../../cluster/controllers/endpoints-object.ts";
import {
  inKeyOrder,
  type KubernetesObject,
  nameOf,
  namespaceOf,
  type ObjectStore,
} from "../../cluster/objects/store.ts";
import type { Call, Subcommand } from "./call.ts";
import { eventsTable } from "./events.ts";
import { formatted } from "./output.ts";
import { hasEnded } from "./pod-row.ts";
import { findObject, listObjects, type Resource, resourcesOf } from "./resource.ts";
import { columnsOf } from "./rows.ts";
import { labelsText, labelTest } from "./selector.ts";
import { table } from "./table.ts";

/** Seconds that `--watch` looks at. */
const WATCHED_SECONDS = 60;

/** `kubectl get KIND [NAME…]`, `kubectl get KIND/NAME…`. */
export const getCommand: Subcommand = {
  name: "get",
  options: {
    output: { type: "string", short: "o" },
    selector: { type: "string", short: "l" },
    watch: { type: "boolean", short: "w" },
    "show-all": { type: "boolean", short: "a" },
    "show-labels": { type: "boolean" },
    "no-headers": { type: "boolean" },
  },
  run(call) {
    const [first, ...names] = call.words;
    if (first === undefined) {
      call.io.err("You must specify the type of resource to get.\n");
      return 1;
    }
    if (first === "events" || first === "ev") {
      call.io.out(eventsTable(call));
      return undefined;
    }
    const wanted = selections(first, names);
    if (call.has("watch")) return watch(call, wanted);
    return show(call, wanted);
  },
};

/** A kind, and the names asked for; none for all of them. */
interface Selection {
  resource: Resource;
  names: string[];
}

/** `rc x y`, `rc/x svc/y`, `pods,svc`. */
export function selections(first: string, names: readonly string[]): Selection[] {
  if (!first.includes("/")) return resourcesOf(first).map((resource) => ({ resource, names: [...names] }));
  return [first, ...names].map((word) => {
    const [kind = "", name = ""] = word.split("/");
    return { resource: resourcesOf(kind)[0]!, names: [name] };
  });
}

/** Every object that a call means, in order. */
export function selected(call: Call, { resource, names }: Selection): KubernetesObject[] {
  const store = resource.kind === "Endpoints" ? withEndpoints(call.store) : call.store;
  if (names.length > 0) return names.map((name) => findObject(store, resource, call.namespace, name));
  const namespace = resource.namespaced && !call.allNamespaces ? call.namespace : null;
  const matches = labelTest(call.text("selector"));
  return listObjects(store, resource, namespace).filter(({ metadata }) => matches(metadata?.labels));
}

/** The Endpoints that controllers keep are worked out when they are asked for. */
function withEndpoints(store: ObjectStore): ObjectStore {
  const made = inKeyOrder(store.services).flatMap((service) => {
    const endpoints = endpointsOf(service, store);
    return endpoints === null ? [] : [[`${namespaceOf(service)}/${nameOf(service)}`, endpoints] as const];
  });
  return { ...store, endpoints: new Map([...made, ...store.endpoints]) };
}

function show(call: Call, wanted: readonly Selection[]): number | undefined {
  const format = call.text("output");
  const isNamed = wanted.some(({ names }) => names.length > 0);
  const lists = wanted.map((one) => ({ ...one, objects: visible(call, one, isNamed) }));
  const all = lists.flatMap(({ objects }) => objects);
  if (format !== undefined && format !== "wide") {
    call.io.out(formatted(all, isNamed && all.length === 1, format));
    return undefined;
  }
  if (all.length === 0) {
    call.io.err("No resources found.\n");
    return undefined;
  }
  const shown = lists.filter(({ objects }) => objects.length > 0);
  const texts = shown.map(({ resource, objects }) => tableOf(call, resource, objects, shown.length > 1));
  call.io.out(texts.join("\n"));
  return undefined;
}

function visible(call: Call, one: Selection, isNamed: boolean): KubernetesObject[] {
  const objects = selected(call, one);
  if (isNamed || call.has("show-all") || one.resource.kind !== "Pod") return objects;
  if (call.text("output") !== undefined && call.text("output") !== "wide") return objects;
  return objects.filter((pod) => !hasEnded(pod as Pod));
}

function tableOf(
  call: Call,
  resource: Resource,
  objects: readonly KubernetesObject[],
  isMixed: boolean,
): string {
  const columns = columnsOf(resource.kind);
  const isWide = call.text("output") === "wide";
  const withNamespace = call.allNamespaces && resource.namespaced;
  const withLabels = call.has("show-labels");
  const header = [
    ...(withNamespace ? ["NAMESPACE"] : []),
    ...columns.header,
    ...(isWide ? columns.wideHeader : []),
    ...(withLabels ? ["LABELS"] : []),
  ];
  const rows = objects.map((object) => {
    const [name = "", ...cells] = columns.cells(object, call.now);
    const prefix = isMixed ? `${resource.short[0] ?? resource.plural}/` : "";
    return [
      ...(withNamespace ? [namespaceOf(object)] : []),
      prefix + name,
      ...cells,
      ...(isWide ? columns.wide(object) : []),
      ...(withLabels ? [labelsText(object.metadata?.labels)] : []),
    ];
  });
  const text = table(header, rows);
  return call.has("no-headers") ? text.slice(text.indexOf("\n") + 1) : text;
}

/** `-w`: the table, then a line whenever an object's line changes, for a minute of virtual time. */
function watch(call: Call, wanted: readonly Selection[]): number | undefined {
  const code = show(call, wanted);
  const last = new Map<string, string>();
  const lines = () => {
    for (const one of wanted)
      for (const object of selected(call, one)) {
        const cells = columnsOf(one.resource.kind).cells(object, call.now);
        const key = `${object.kind}/${nameOf(object)}`;
        const state = JSON.stringify([cells.slice(0, -1), columnsOf(one.resource.kind).wide(object)]);
        if (last.has(key) && last.get(key) !== state) {
          const text = tableOf(call, one.resource, [object], false);
          call.io.out(text.slice(text.indexOf("\n") + 1));
        }
        last.set(key, state);
      }
  };
  lines();
  for (let second = 0; second < WATCHED_SECONDS; second++) {
    call.session.plane.advance(1);
    lines();
  }
  return code;
}
