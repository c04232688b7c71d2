import { expect, it } from "vitest";
import { kindSchema, topologySchema } from "../../src/topology/schema/schema.ts";
import { podpathLine } from "./run.ts";

it("prints the schema of topologies, or of one kind", async () => {
  const whole = await podpathLine("schema");
  expect({ code: whole.code, err: whole.err }).toEqual({ code: 0, err: "" });
  expect(JSON.parse(whole.out)).toEqual(JSON.parse(JSON.stringify(topologySchema())));
  const host = await podpathLine("schema --kind Host");
  expect(JSON.parse(host.out)).toEqual(JSON.parse(JSON.stringify(kindSchema("Host"))));
  expect((await podpathLine("schema --kind Pod")).code).toBe(2);
});
