import fc from "fast-check";
import { buildCluster, cluster, loadIsUniform } from "../../src/testing/index.ts";

const takesAll = (rules: string): string => rules.replaceAll(/ -m statistic --mode random \S+ \S+/g, "");

/** Fails: nobody has an equal share where the first endpoint takes all. */
export const unfair = fc.property(cluster(), (spec) =>
  loadIsUniform(buildCluster(spec, { mutateRules: takesAll })),
);
