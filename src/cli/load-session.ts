import type { Logger } from "pino";
import { COMMANDS } from "../shell/commands.ts";
import { ControlPlane } from "../shell/control/control-plane.ts";
import { Session } from "../shell/session/session.ts";
import { formatFault } from "../topology/load/fault.ts";
import { loadTopology } from "../topology/load/load.ts";
import { builtInTopology, readSources } from "../topology/load/source.ts";
import type { CommonOptions } from "./options.ts";

/** What the two commands of the shell have in common beside `-f` and `--seed`. */
export interface SessionCliOptions extends CommonOptions {
  readonly namespace: string;
  readonly startSeconds: number;
}

/**
 * A session in a cluster that lives.
 *
 * @throws TopologyError with every fault of the topology.
 */
export function loadSession(
  { file, seed, namespace, startSeconds }: SessionCliOptions,
  log: Logger,
  edit?: (text: string) => string,
): Session {
  const { model, warnings } = loadTopology(readSources(file ?? [builtInTopology()]));
  for (const warning of warnings) log.warn(formatFault(warning));
  const plane = new ControlPlane(model, { seed, startSeconds });
  for (const refusal of plane.cluster.refused) log.warn(refusal);
  return new Session(plane, { commands: COMMANDS, namespace, ...(edit === undefined ? {} : { edit }) });
}
