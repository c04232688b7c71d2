import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SimulatedCluster } from "../../src/cluster/build/cluster.ts";
import {
  buildCluster,
  type ClusterSpec,
  cluster,
  everyReadyEndpointReachable,
  flow,
  loadIsUniform,
  natIsInvertible,
  sourcePreservedUnderLocalPolicy,
} from "../../src/testing/index.ts";

/** A fault in how rules are made: what it does to iptables-save text, and the law that should notice. */
interface Fault {
  readonly name: string;
  readonly mutate: (rules: string) => string;
  readonly law: (built: SimulatedCluster) => void;
}

const replaceAll =
  (pattern: RegExp, by: string) =>
  (rules: string): string =>
    rules.replace(pattern, by);

const FAULTS: readonly Fault[] = [
  {
    name: "an endpoint's port is off by one",
    mutate: replaceAll(/(--to-destination \S+):8080/g, "$1:8081"),
    law: everyReadyEndpointReachable,
  },
  {
    name: "the last endpoint is forgotten",
    mutate: replaceAll(/^-A KUBE-SVC-\S+ -m comment --comment "[^"]*" -j KUBE-SEP-\S+$/gm, ""),
    law: everyReadyEndpointReachable,
  },
  {
    name: "all probabilities are one half",
    mutate: replaceAll(/--probability 0\.\d+/g, "--probability 0.50000000000"),
    law: loadIsUniform,
  },
  {
    name: "the first endpoint takes all",
    mutate: replaceAll(/ -m statistic --mode random --probability 0\.\d+/g, ""),
    law: everyReadyEndpointReachable,
  },
  {
    name: "hairpin traffic is not masqueraded",
    mutate: replaceAll(/^-A KUBE-SEP-\S+ -s .* -j KUBE-MARK-MASQ$/gm, ""),
    law: everyReadyEndpointReachable,
  },
  {
    name: "the mark is never turned into a masquerade",
    mutate: replaceAll(/^-A KUBE-POSTROUTING .* -j MASQUERADE.*$/gm, ""),
    law: everyReadyEndpointReachable,
  },
  {
    name: "a Service's rule asks for the wrong port",
    mutate: replaceAll(/^(-A KUBE-SERVICES -d 10\.96\.0\.\d+\/32 .*--dport) 80 /gm, "$1 81 "),
    law: everyReadyEndpointReachable,
  },
  {
    name: "forwarded traffic is dropped",
    mutate: replaceAll(/^:FORWARD ACCEPT/gm, ":FORWARD DROP"),
    law: everyReadyEndpointReachable,
  },
  {
    name: "established traffic is dropped",
    mutate: replaceAll(/^(-A KUBE-FORWARD .*RELATED,ESTABLISHED) -j ACCEPT$/gm, "$1 -j DROP"),
    law: everyReadyEndpointReachable,
  },
  {
    name: "the Local policy masquerades",
    mutate: replaceAll(/^(-A KUBE-EXT-\S+) -j KUBE-SVL-/gm, "$1 -j KUBE-MARK-MASQ\n$1 -j KUBE-SVL-"),
    law: sourcePreservedUnderLocalPolicy,
  },
];

/** Small as a person would draw it. */
const isSmall = ({ nodes, pods, services }: ClusterSpec): boolean =>
  nodes <= 2 && pods.length <= 3 && services.length <= 1;

describe("planted faults", () => {
  it.each(FAULTS)("$name: caught and shrunk to a cluster that fits on a napkin", ({ mutate, law }) => {
    const details = fc.check(
      fc.property(cluster({ maxNodes: 2 }), (spec) => law(buildCluster(spec, { mutateRules: mutate }))),
      { numRuns: 1000, seed: 7 },
    );
    expect(details.failed).toBe(true);
    const [smallest] = details.counterexample!;
    expect(isSmall(smallest), JSON.stringify(smallest)).toBe(true);
  });

  it("an answer that is not translated back is caught", () => {
    const asked = cluster({ maxNodes: 2 }).chain((spec) => fc.tuple(fc.constant(spec), flow(spec)));
    const details = fc.check(
      fc.property(asked, ([spec, request]) => {
        const built = buildCluster({ ...spec, settings: { ...spec.settings, bridgeNfCallIptables: false } });
        natIsInvertible(built, request);
      }),
      { numRuns: 1000, seed: 7 },
    );
    expect(details.failed).toBe(true);
  });
});
