import { Command, Option } from "commander";
import { kindSchema, SCHEMA_KINDS, type SchemaKind, topologySchema } from "../topology/schema/schema.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

const HELP = `
An editor with YAML support completes and checks topologies by it:
  podpath schema > podpath.schema.json
  # yaml-language-server: $schema=podpath.schema.json      (first line of the topology)`;

/** `podpath schema`: the JSON Schema of podpath's own kinds, for editors. */
export function schemaCommand(console: Console, finish: (code: ExitCode) => void): Command {
  return new Command("schema")
    .description("print the JSON Schema of topologies: podpath's own kinds, Cluster and Host")
    .addOption(new Option("--kind <kind>", "of this kind alone").choices(SCHEMA_KINDS))
    .addHelpText("after", HELP)
    .action(({ kind }: { readonly kind?: SchemaKind }) => {
      const schema = kind === undefined ? topologySchema() : kindSchema(kind);
      console.out(`${JSON.stringify(schema, null, 2)}\n`);
      finish(EXIT.ok);
    });
}
