import type { Pod } from "kubernetes-types/core/v1.js";
import { CommandError } from "../session/command.ts";
import { insidePod } from "../session/place.ts";
import type { Subcommand } from "./call.ts";
import { findObject, resourcesOf } from "./resource.ts";

/** Commands that live on machines and not in containers. */
const NOT_IN_CONTAINERS = new Set([
  "kubectl",
  "docker",
  "iptables",
  "iptables-save",
  "conntrack",
  "ssh",
  "node",
  "bridge",
]);
const SHELLS = new Set(["sh", "bash", "/bin/sh", "/bin/bash"]);

/** `kubectl exec POD [-c CONTAINER] -- COMMAND…`; a shell stays in the pod until `exit`. */
export const execCommand: Subcommand = {
  name: "exec",
  options: {
    container: { type: "string", short: "c" },
    pod: { type: "string", short: "p" },
    stdin: { type: "boolean", short: "i" },
    tty: { type: "boolean", short: "t" },
  },
  async run(call) {
    const { session } = call;
    const name = (call.text("pod") ?? call.words[0] ?? "").replace(/^(pods?|po)\//, "");
    if (name === "")
      throw new CommandError("error: expected 'exec POD_NAME COMMAND [ARG1] [ARG2] ... [ARGN]'.");
    const pod = findObject(call.store, resourcesOf("pod")[0]!, call.namespace, name) as Pod;
    const place = insidePod(session.cluster, call.namespace, name);
    if (place === null || pod.status?.phase !== "Running")
      throw new CommandError(
        `error: cannot exec into a container in a pod that is not running; current phase is ${pod.status?.phase ?? "Pending"}`,
      );
    const container = call.text("container");
    if (container !== undefined && !pod.spec?.containers.some((one) => one.name === container))
      throw new CommandError(
        `Error from server (BadRequest): container ${container} is not valid for pod ${name}`,
      );
    const words = call.rest.length > 0 ? call.rest : call.words.slice(call.text("pod") === undefined ? 1 : 0);
    if (words.length === 0)
      throw new CommandError("error: you must specify at least one command for the container");
    const script = SHELLS.has(words[0]!) && words[1] === "-c" ? words[2] : undefined;
    session.places.push(place);
    if (script === undefined && SHELLS.has(words[0]!)) return undefined;
    try {
      if (script !== undefined) return await session.execute(script, call.io);
      if (NOT_IN_CONTAINERS.has(words[0]!) || !session.commands.has(words[0]!))
        throw new CommandError(
          `rpc error: code = 2 desc = "oci runtime error: exec failed: exec: \\"${words[0]}\\": executable file not found in $PATH"`,
          126,
        );
      return await session.runWords(words, call.io);
    } finally {
      session.places.pop();
    }
  },
};
