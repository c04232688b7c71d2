import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { topologySchema } from "../../../src/topology/schema/schema.ts";
import { withoutSuffix } from "../../../src/web/server/topology-view.ts";
import type { PodView } from "../../../src/web/view/api.ts";
import { matching } from "../../../src/web/view/names.ts";
import { type Linked, linkOf, readLink } from "../../../src/web/view/question-link.ts";
import { keysAt, type Schema, valuesAt } from "../../../src/web/view/schema-words.ts";
import { podId, tilesOf } from "../../../src/web/view/tiles.ts";
import { yamlPlace } from "../../../src/web/view/yaml-path.ts";

describe("the name that pods of one workload share", () => {
  it.each([
    ["web", "web"],
    ["web-0", "web"],
    ["web-12", "web"],
    ["hello-nginx", "hello-nginx"],
    ["hello-nginx-14hst", "hello-nginx"],
    ["web-5d4f8c7b9d-x2x9z", "web"],
    ["kube-proxy-k7xvz", "kube-proxy"],
    ["client2", "client2"],
    ["14hst", "14hst"],
    ["web-admin", "web-admin"],
  ])("%s: %s", (name, group) => expect(withoutSuffix(name)).toBe(group));
});

describe("a link", () => {
  const text = fc.string({ minLength: 1, maxLength: 40 });
  const linked: fc.Arbitrary<Linked> = fc.record({
    question: fc.record(
      {
        from: text,
        to: text,
        protocol: fc.constantFrom("tcp" as const, "udp" as const, "icmp" as const, "sctp" as const),
        sourcePort: fc.integer({ min: 1, max: 65535 }),
        ttl: fc.integer({ min: 1, max: 255 }),
        size: fc.integer({ min: 0, max: 65515 }),
        dontFragment: fc.constant(true),
        reply: fc.constant(false),
      },
      { requiredKeys: ["from", "to"] },
    ),
    explore: fc.constant(true),
    branch: fc.nat(1000),
    step: fc.integer({ min: 1, max: 1000 }),
  });

  it("says what it was made of", () => {
    fc.assert(
      fc.property(linked, (one) => {
        expect(readLink(`#${linkOf(one)}`)).toEqual(one);
      }),
    );
  });

  it("reads well", () => {
    const question = { from: "pod/client", to: "svc/nginx:80" };
    expect(linkOf({ question, explore: false, branch: 0, step: 1 })).toBe("from=pod/client&to=svc/nginx:80");
  });

  it.each(["", "#", "#from=pod/a", "#to=b"])("%j has no question", (link) =>
    expect(readLink(link)).toBeNull(),
  );

  it("what it says wrongly counts as unsaid", () => {
    expect(readLink("#from=a&to=b&ttl=999&protocol=x&branch=-1&step=zz&sourcePort=1e3")).toEqual({
      question: { from: "a", to: "b" },
      explore: false,
      branch: 0,
      step: 1,
    });
  });
});

describe("where a cursor stands in YAML", () => {
  it.each([
    ["kind: Cluster\nspec:\n  fl", "spec", null, "fl"],
    ["kind: Cluster\nspec:\n  flannel:\n    Backend: {Type: u", "spec flannel Backend", "Type", "u"],
    ["kind: Cluster\nspec:\n  segments:\n    - {name: lan, su", "spec segments []", null, "su"],
    ["kind: Cluster\nspec:\n  segments:\n    - name: lan\n      ga", "spec segments []", null, "ga"],
    ["kind: Cluster\nspec:\n  segments:\n  - name: lan\n    ga", "spec segments []", null, "ga"],
    ["kind: Cluster\nspec:\n  segments:\n  - na", "spec segments []", null, "na"],
    [
      "kind: Cluster\nspec:\n  nodes:\n    n1: {listen: [1, 2], docker: {hairpin: t",
      "spec nodes n1 docker",
      "hairpin",
      "t",
    ],
    ["kind: Cluster\nspec:\n  node:\n    docker:\n      bridge: d\n  kube", "spec", null, "kube"],
    ["kind: Cluster\nspec:\n  # a: b\n  x", "spec", null, "x"],
    ["kind: Clus", "", "kind", "Clus"],
  ])("%j", (text, path, key, typed) => {
    expect(yamlPlace(text)).toMatchObject({ path: path.split(" ").filter(Boolean), key, typed });
  });

  it("the kind is the document's own", () => {
    const { kind } = yamlPlace("kind: Node\n---\nspec:\n  a", "\nkind: Host\n---\nkind: Pod\n");
    expect(kind).toBe("Host");
  });
});

describe("what the schema offers", () => {
  const schema = topologySchema() as Schema;
  const texts = (words: readonly { text: string }[]): string[] => words.map(({ text }) => text);

  it("keys with what they mean", () => {
    const keys = keysAt(schema, "Cluster", ["spec", "flannel"]);
    expect(texts(keys)).toEqual(expect.arrayContaining(["Network", "SubnetLen", "Backend"]));
    expect(keys.every(({ description }) => description !== "")).toBe(true);
  });

  it("settings of a node by whatever name", () =>
    expect(texts(keysAt(schema, "Cluster", ["spec", "nodes", "n1"]))).toContain("sysctl"));

  it("elements of lists", () =>
    expect(texts(keysAt(schema, "Host", ["spec", "routes", "[]"]))).toEqual(["to", "via"]));

  it("values", () => {
    expect(texts(valuesAt(schema, "Cluster", ["spec", "flannel", "Backend"], "Type"))).toEqual(
      expect.arrayContaining(["udp", "vxlan", "host-gw"]),
    );
    expect(texts(valuesAt(schema, "Cluster", ["spec", "node", "docker"], "hairpin"))).toEqual([
      "true",
      "false",
    ]);
    expect(texts(valuesAt(schema, null, [], "kind"))).toContain("Service");
  });

  it("nothing for what has no schema", () => expect(keysAt(schema, "Service", ["spec"])).toEqual([]));
});

describe("the tiles of a node", () => {
  const pod = (name: string, group: string): PodView => ({
    namespace: "default",
    name,
    node: "n",
    ip: "10.0.0.1",
    hostNetwork: false,
    ready: true,
    group,
    veth: null,
    ports: [],
  });
  const many = (count: number, groups: number) =>
    Array.from({ length: count }, (_, i) => pod(`p${i}`, `g${i % groups}`));
  const none = new Set<string>();
  const options = { expanded: none, pinned: none, mostTiles: 12 };

  it("a few pods stand by themselves", () =>
    expect(tilesOf("n", many(8, 1), options).map(({ kind }) => kind)).toEqual(Array(8).fill("pod")));

  it("many stand in groups, and every pod is in one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 300 }), fc.integer({ min: 1, max: 60 }), (count, groups) => {
        const tiles = tilesOf("n", many(count, groups), options);
        const pods = tiles.flatMap((tile) =>
          tile.kind === "pod" ? [podId(tile.pod)] : tile.pods.map(podId),
        );
        expect(tiles.length).toBeLessThanOrEqual(12);
        expect(new Set(pods).size).toBe(count);
      }),
    );
  });

  it("an opened group shows its pods, a pinned pod stands beside its closed group", () => {
    const pods = many(20, 1);
    const open = tilesOf("n", pods, { ...options, expanded: new Set(["n group default/g0"]) });
    expect(open).toHaveLength(21);
    const pinned = tilesOf("n", pods, { ...options, pinned: new Set(["pod:default/p7"]) });
    expect(pinned.map((tile) => (tile.kind === "pod" ? tile.pod.name : tile.label))).toEqual(["g0", "p7"]);
  });
});

it("completion puts first what begins so, and finds by address", () => {
  const names = [
    { text: "pod/web", note: "10.0.0.1 on a" },
    { text: "svc/web:80", note: "tcp ClusterIP 10.96.0.1" },
    { text: "node/web", note: "10.0.0.9" },
  ];
  expect(matching(names, "svc/w", 5).map(({ text }) => text)).toEqual(["svc/web:80"]);
  expect(matching(names, "web 10.96", 5).map(({ text }) => text)).toEqual(["svc/web:80"]);
  expect(matching(names, "", 2)).toHaveLength(2);
});
