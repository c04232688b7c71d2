import { CommandError } from "../session/command.ts";
import type { Subcommand } from "./call.ts";

/** `kubectl config set-context NAME --namespace=NS`, `current-context`, `view`: the namespace that is meant when none is said. */
export const configCommand: Subcommand = {
  name: "config",
  options: {
    minify: { type: "boolean" },
    current: { type: "boolean" },
    cluster: { type: "string" },
    user: { type: "string" },
  },
  run(call) {
    const { session } = call;
    const name = session.cluster.model.name;
    switch (call.words[0]) {
      case "current-context":
        call.say(name);
        return undefined;
      case "set-context":
        session.namespace = call.namespace;
        call.say(`context "${call.words[1] ?? name}" set.`);
        return undefined;
      case "use-context":
        call.say(`switched to context "${call.words[1] ?? name}".`);
        return undefined;
      case "view":
        call.say(
          [
            "apiVersion: v1",
            "contexts:",
            "- context:",
            `    cluster: ${name}`,
            `    namespace: ${session.namespace}`,
            `  name: ${name}`,
            `current-context: ${name}`,
            "kind: Config",
          ].join("\n"),
        );
        return undefined;
      default:
        throw new CommandError("error: known: config current-context, set-context, use-context, view");
    }
  },
};

/** `kubectl version`: the client whose answers these are. */
export const versionCommand: Subcommand = {
  name: "version",
  options: { short: { type: "boolean" }, client: { type: "boolean" } },
  run(call) {
    call.say("Client Version: v1.5.2");
    if (!call.has("client")) call.say("Server Version: v1.5.2");
    return undefined;
  },
};
