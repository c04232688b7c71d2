import { readdirSync, readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import { clusterSchema } from "../../../src/cluster/objects/cluster.ts";
import { hostSchema } from "../../../src/cluster/objects/host.ts";
import { CLUSTER_DESCRIPTIONS, HOST_DESCRIPTIONS } from "../../../src/topology/schema/descriptions.ts";
import {
  type JsonSchema,
  kindSchema,
  SCHEMA_KINDS,
  topologySchema,
} from "../../../src/topology/schema/schema.ts";

const FOLDERS = ["topologies/", "topologies/failures/"].map(
  (path) => new URL(`../../../${path}`, import.meta.url),
);
const FILES = FOLDERS.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => new URL(name, folder)),
);

const compiled = (schema: JsonSchema) =>
  new Ajv2020.default({ strict: false, allErrors: true }).compile(schema);

const accepts = compiled(topologySchema());

describe("the JSON Schema of topologies", () => {
  it("is valid by its own draft, as a whole and a kind at a time", () => {
    for (const schema of [topologySchema(), ...SCHEMA_KINDS.map(kindSchema)]) {
      expect(schema.$schema).toBe("https://json-schema.org/draft/2020-12/schema");
      expect(new Ajv2020.default({ strict: false }).validateSchema(schema)).toBe(true);
    }
  });

  it("accepts every document of every topology that is shipped", () => {
    let own = 0;
    for (const file of FILES)
      for (const document of loadAll(readFileSync(file, "utf8"))) {
        if ((document as { apiVersion?: string }).apiVersion === "podpath.dev/v1alpha1") own++;
        expect(accepts(document), `${file.pathname}: ${JSON.stringify(accepts.errors)}`).toBe(true);
      }
    expect(own).toBeGreaterThan(20);
  });

  const cluster = (spec: object) => ({
    apiVersion: "podpath.dev/v1alpha1",
    kind: "Cluster",
    metadata: { name: "c" },
    spec,
  });
  const host = (spec: object) => ({
    apiVersion: "podpath.dev/v1alpha1",
    kind: "Host",
    metadata: { name: "h" },
    spec,
  });

  it.each<[string, object, boolean]>([
    ["an empty Cluster", cluster({}), true],
    ["an unknown field", cluster({ serviceCidr: "10.0.0.0/8" }), false],
    ["a block", cluster({ serviceCIDR: "10.96.0.0/12" }), true],
    ["a block without a length", cluster({ serviceCIDR: "10.96.0.0" }), false],
    ["a block of 33 bits", cluster({ serviceCIDR: "10.96.0.0/33" }), false],
    ["an octet of three digits with a zero in front", cluster({ serviceCIDR: "010.96.0.0/12" }), false],
    ["a back end", cluster({ flannel: { Backend: { Type: "vxlan", VNI: 7 } } }), true],
    ["a back end nobody has", cluster({ flannel: { Backend: { Type: "ipip" } } }), false],
    ["a VNI of 25 bits", cluster({ flannel: { Backend: { VNI: 2 ** 24 } } }), false],
    ["an MTU that is a fraction", cluster({ node: { nic: { mtu: 1500.5 } } }), false],
    ["an MTU below IPv4's least", cluster({ node: { nic: { mtu: 67 } } }), false],
    ["ports in both forms", cluster({ nodes: { a: { listen: [22, { port: 53, protocol: "UDP" }] } } }), true],
    ["port 0", cluster({ nodes: { a: { listen: [0] } } }), false],
    ["a sysctl", cluster({ node: { sysctl: { "net.ipv4.ip_forward": 1 } } }), true],
    ["a sysctl as text", cluster({ node: { sysctl: { "net.ipv4.conf.ens33.rp_filter": "2" } } }), true],
    ["a sysctl nobody simulates", cluster({ node: { sysctl: { "vm.swappiness": 1 } } }), false],
    [
      "a local port range",
      cluster({ node: { sysctl: { "net.ipv4.ip_local_port_range": "1024 65000" } } }),
      true,
    ],
    ["a device name that is too long", cluster({ node: { docker: { bridge: "a123456789012345" } } }), false],
    ["a host", host({ address: "10.1.96.10/24", gateway: "10.1.96.1" }), true],
    ["a gateway with a prefix", host({ gateway: "10.1.96.1/24" }), false],
    ["routes", host({ routes: [{ to: "10.0.0.0/8", via: "10.1.96.1" }] }), true],
    ["a route without a next hop", host({ routes: [{ to: "10.0.0.0/8" }] }), false],
    ["no segments at all", cluster({ segments: [] }), false],
  ])("says of %s what the loader says", (_, document, accepted) => {
    const { kind } = document as { kind: string };
    const loader = kind === "Cluster" ? clusterSchema : hostSchema;
    expect(loader.safeParse(document).success).toBe(accepted);
    expect(accepts(document)).toBe(accepted);
  });

  it("leaves Kubernetes' own kinds alone", () => {
    expect(accepts({ apiVersion: "v1", kind: "Host", spec: 5 })).toBe(true);
  });

  it("explains every field, and no field that is not there", () => {
    for (const [kind, descriptions] of [
      ["Cluster", CLUSTER_DESCRIPTIONS],
      ["Host", HOST_DESCRIPTIONS],
    ] as const) {
      const fields = fieldsOf(kindSchema(kind));
      expect(fields.filter(({ schema }) => schema.description === undefined).map(({ path }) => path)).toEqual(
        [],
      );
      const paths = new Set(fields.map(({ path }) => path));
      expect(Object.keys(descriptions).filter((path) => !path.endsWith(".*") && !paths.has(path))).toEqual(
        [],
      );
    }
  });
});

/** Every named field of a schema; those of sysctls, which are the kernel's, left out. */
function fieldsOf(schema: JsonSchema, path = ""): { path: string; schema: JsonSchema }[] {
  if (path.endsWith("sysctl")) return [];
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = path === "" ? name : `${path}.${name}`;
    return typeof field === "object" ? [{ path: at, schema: field }, ...fieldsOf(field, at)] : [];
  });
  const inner = (below: unknown, at: string) =>
    typeof below === "object" && below !== null ? fieldsOf(below as JsonSchema, at) : [];
  return [
    ...own,
    ...inner(schema.items, `${path}[]`),
    ...inner(schema.additionalProperties, `${path}.*`),
    ...(schema.anyOf ?? []).flatMap((one) => inner(one, path)),
  ];
}
