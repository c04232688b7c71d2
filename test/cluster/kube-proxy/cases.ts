import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { loadAll } from "js-yaml";
import type { Node, Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import {
  completeKubeProxyConfiguration,
  type DetectLocalMode,
} from "../../../src/cluster/kube-proxy/configuration.ts";
import { podCIDRsOf, proxyNode } from "../../../src/cluster/kube-proxy/node.ts";
import type { RestoreInput } from "../../../src/cluster/kube-proxy/restore.ts";

/** One run of the real kube-proxy: what it was told and what it handed to iptables-restore. */
export interface Case {
  readonly name: string;
  readonly input: RestoreInput;
  readonly expected: string;
}

const CASES = fileURLToPath(new URL("./vectors", import.meta.url));

interface CaseConfig {
  nodeName: string;
  nodeIP: string;
  clusterCIDR?: string;
  detectLocalMode: DetectLocalMode;
  masqueradeAll?: boolean;
  masqueradeBit?: number;
  nodePortAddresses?: string[];
  localhostNodePorts?: boolean;
  bridgeInterface?: string;
  interfaceNamePrefix?: string;
  nf_conntrack_tcp_be_liberal?: number;
}

function readMaybeGzipped(path: string): string {
  return existsSync(path)
    ? readFileSync(path, "utf8")
    : gunzipSync(readFileSync(`${path}.gz`)).toString("utf8");
}

function restoreInput(objects: readonly unknown[], given: CaseConfig): RestoreInput {
  const ofKind = <Kind>(kind: string) =>
    objects.filter((object) => (object as { kind?: string } | null)?.kind === kind) as Kind[];
  const node = ofKind<Node>("Node").find((one) => one.metadata?.name === given.nodeName) ?? {};
  return {
    services: ofKind<Service>("Service"),
    endpointSlices: ofKind<EndpointSlice>("EndpointSlice"),
    node: {
      ...proxyNode(node, ["127.0.0.1", given.nodeIP]),
      name: given.nodeName,
      nodeIP: given.nodeIP,
      podCIDRs: podCIDRsOf(node),
      conntrackTcpBeLiberal: (given.nf_conntrack_tcp_be_liberal ?? 0) !== 0,
    },
    config: completeKubeProxyConfiguration({
      clusterCIDR: given.clusterCIDR ?? "",
      detectLocalMode: given.detectLocalMode,
      detectLocal: {
        bridgeInterface: given.bridgeInterface ?? "",
        interfaceNamePrefix: given.interfaceNamePrefix ?? "",
      },
      iptables: {
        masqueradeAll: given.masqueradeAll ?? false,
        masqueradeBit: given.masqueradeBit ?? 14,
        localhostNodePorts: given.localhostNodePorts ?? true,
      },
      nodePortAddresses: given.nodePortAddresses ?? [],
    }),
  };
}

/**
 * The cases of a folder, `KUBE_PROXY_CASES` where it is set: one folder a case, each with `input.yaml`,
 * `config.json` and `expected.rules`, any of the long ones gzipped.
 */
export function readCases(folder = process.env["KUBE_PROXY_CASES"] ?? CASES): readonly Case[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const path = join(folder, name);
      const config = JSON.parse(readFileSync(join(path, "config.json"), "utf8")) as CaseConfig;
      const objects = loadAll(readMaybeGzipped(join(path, "input.yaml")));
      const expected = readMaybeGzipped(join(path, "expected.rules"));
      return { name, input: restoreInput(objects, config), expected };
    });
}

const SHARED = new Set(["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-EXTERNAL-SERVICES", "KUBE-PROXY-FIREWALL"]);
const NODEPORTS_JUMP = "kubernetes service nodeports";

function serviceOf(rule: string): string {
  const name = /--comment "?([^ "]+\/[^ "]+)/.exec(rule)?.[1];
  return name ?? "";
}

function sharedOrder(rules: readonly string[]): readonly string[] {
  const bySer = rules.filter((rule) => serviceOf(rule) !== "");
  const others = rules.filter((rule) => serviceOf(rule) === "");
  const jumps = others.filter((rule) => rule.includes(NODEPORTS_JUMP)).sort();
  const rest = others.filter((rule) => !rule.includes(NODEPORTS_JUMP));
  const sorted = [...bySer].sort((a, b) =>
    serviceOf(a) < serviceOf(b) ? -1 : serviceOf(a) > serviceOf(b) ? 1 : 0,
  );
  return [...rest, ...sorted, ...jumps];
}

/**
 * The text with everything sorted that kube-proxy leaves to the order of a Go map: the order between Services.
 * The order within a chain, and of a Service's rules within a shared chain, stands.
 */
export function normalise(restore: string): string {
  const out: string[] = [];
  for (const table of restore.split(/^COMMIT\n/m)) {
    const lines = table.split("\n").filter((line) => line !== "");
    const chains = lines.filter((line) => line.startsWith(":")).sort();
    const rules = new Map<string, string[]>();
    for (const line of lines.filter((one) => one.startsWith("-"))) {
      const chain = line.split(" ", 2)[1] ?? "";
      rules.set(chain, [...(rules.get(chain) ?? []), line]);
    }
    out.push(...lines.filter((line) => line.startsWith("*")), ...chains);
    for (const chain of [...rules.keys()].sort()) {
      const inOrder = rules.get(chain) ?? [];
      out.push(...(SHARED.has(chain) ? sharedOrder(inOrder) : inOrder));
    }
    if (lines.length > 0) out.push("COMMIT");
  }
  return out.join("\n");
}
