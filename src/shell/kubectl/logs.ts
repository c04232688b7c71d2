import type { Pod } from "kubernetes-types/core/v1.js";
import { logOf } from "../images/program.ts";
import { CommandError } from "../session/command.ts";
import type { Subcommand } from "./call.ts";
import { findObject, resourcesOf } from "./resource.ts";

/** `kubectl logs POD [CONTAINER]` */
export const logsCommand: Subcommand = {
  name: "logs",
  options: {
    container: { type: "string", short: "c" },
    previous: { type: "boolean", short: "p" },
    follow: { type: "boolean", short: "f" },
    tail: { type: "string" },
  },
  run(call) {
    const [word, second] = call.words;
    if (word === undefined)
      throw new CommandError("error: expected 'logs (POD | TYPE/NAME) [CONTAINER_NAME]'");
    const name = word.replace(/^(pods?|po)\//, "");
    const pod = findObject(call.store, resourcesOf("pod")[0]!, call.namespace, name) as Pod;
    const containers = pod.spec?.containers ?? [];
    const wanted = call.text("container") ?? second;
    if (wanted === undefined && containers.length > 1)
      throw new CommandError(
        `Error from server (BadRequest): a container name must be specified for pod ${name}, choose one of: [${containers.map((one) => one.name).join(" ")}]`,
      );
    const container = containers.find((one) => wanted === undefined || one.name === wanted);
    if (container === undefined)
      throw new CommandError(
        `Error from server (BadRequest): container ${wanted} is not valid for pod ${name}`,
      );
    const status = pod.status?.containerStatuses?.find((one) => one.name === container.name);
    if (status?.state?.waiting?.reason === "ContainerCreating" || status === undefined)
      throw new CommandError(
        `Error from server (BadRequest): container "${container.name}" in pod "${name}" is waiting to start: ContainerCreating`,
      );
    const hasRun = status.state?.terminated !== undefined || status.lastState?.terminated !== undefined;
    const requests = call.session.requests.get(`${call.namespace}/${name}/${container.name}`) ?? [];
    const text = (hasRun ? logOf(container) : "") + requests.join("");
    call.io.out(lastLines(text, call.number("tail")));
    return undefined;
  },
};

function lastLines(text: string, count: number | undefined): string {
  if (count === undefined || count < 0) return text;
  const lines = text.split("\n").slice(0, -1);
  return lines
    .slice(lines.length - Math.min(count, lines.length))
    .map((line) => `${line}\n`)
    .join("");
}
