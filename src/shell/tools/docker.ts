import type { Pod } from "kubernetes-types/core/v1.js";
import { secondsOf } from "../../cluster/controllers/moment.ts";
import { dockerInspect } from "../../topology/export/docker-inspect.ts";
import { imageOf } from "../images/image.ts";
import { logOf } from "../images/program.ts";
import { type Command, CommandError } from "../session/command.ts";
import { insidePod } from "../session/place.ts";
import type { Session } from "../session/session.ts";
import { belongsTo, containersOn, type DockerContainer } from "./docker-containers.ts";
import { dockerTable } from "./docker-table.ts";

const PAUSE_COMMAND = "/pause";

/** `docker ps [-q] [--no-trunc]`, `docker inspect ID…`, `docker exec ID COMMAND…`, `docker logs ID` */
export const docker: Command = {
  name: "docker",
  summary: "a node's containers",
  async run(session, args, io) {
    if (session.place.kind !== "node")
      throw new CommandError(
        "Cannot connect to the Docker daemon. Is the docker daemon running on this host?",
      );
    const [what, ...rest] = args;
    switch (what) {
      case "ps":
        io.out(list(session, rest));
        return 0;
      case "inspect":
        io.out(
          inspect(
            session,
            rest.filter((word) => !word.startsWith("-")),
          ),
        );
        return 0;
      case "exec":
        return execute(
          session,
          rest.filter((word) => !/^-[it]+$/.test(word)),
          io,
        );
      case "logs":
        io.out(logs(session, rest.at(-1) ?? ""));
        return 0;
      default:
        throw new CommandError(`docker: '${what ?? ""}' is not a docker command.\nSee 'docker --help'.`);
    }
  },
  complete: (session, args) =>
    args.length === 0
      ? ["ps", "inspect", "exec", "logs"]
      : session.place.kind === "node"
        ? containersOn(session.cluster, session.place.name).map(({ Id }) => Id.slice(0, 12))
        : [],
};

function list(session: Session, args: readonly string[]): string {
  const all = containersOn(session.cluster, session.place.name);
  const isFull = args.includes("--no-trunc");
  const id = ({ Id }: DockerContainer) => (isFull ? Id : Id.slice(0, 12));
  if (args.includes("-q")) return all.map((one) => `${id(one)}\n`).join("");
  const rows = all.map((one) => {
    const age = ago(session.plane.now - (startOf(session, one) ?? session.plane.now));
    const { container } = belongsTo(one);
    const command = container === "POD" ? PAUSE_COMMAND : imageOf(one.Config.Image).command;
    const quoted = `"${isFull || command.length <= 20 ? command : `${command.slice(0, 19)}…`}"`;
    return [id(one), one.Config.Image, quoted, `${age} ago`, `Up ${age}`, "", one.Name.slice(1)];
  });
  return dockerTable(["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"], rows);
}

function podOf(session: Session, one: DockerContainer): Pod | undefined {
  const { namespace, pod } = belongsTo(one);
  return session.plane.store.pods.get(`${namespace}/${pod}`);
}

function startOf(session: Session, one: DockerContainer): number | null {
  const { container } = belongsTo(one);
  const pod = podOf(session, one);
  const status = pod?.status?.containerStatuses?.find(({ name }) => name === container);
  return secondsOf(status?.state?.running?.startedAt ?? pod?.status?.startTime);
}

/** `units.HumanDuration` of docker's go-units. */
function ago(seconds: number): string {
  if (seconds < 1) return "Less than a second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(minutes / 60);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  return hours < 24 * 14 ? `${Math.floor(hours / 24)} days` : `${Math.floor(hours / 24 / 7)} weeks`;
}

/** Throws CommandError unless exactly one container's id or name begins so. */
function find(session: Session, word: string): DockerContainer {
  const all = containersOn(session.cluster, session.place.name);
  const found = all.filter(({ Id, Name }) => word !== "" && (Id.startsWith(word) || Name.slice(1) === word));
  if (found.length !== 1) throw new CommandError(`Error: No such image, container or task: ${word}`);
  return found[0]!;
}

function inspect(session: Session, words: readonly string[]): string {
  const ids = words.map((word) => find(session, word).Id);
  const all = JSON.parse(dockerInspect(session.cluster, session.place.name)) as DockerContainer[];
  const chosen = ids.flatMap((id) => all.filter(({ Id }) => Id === id));
  return `${JSON.stringify(chosen, null, 4)}\n`;
}

async function execute(
  session: Session,
  words: readonly string[],
  io: Parameters<Command["run"]>[2],
): Promise<number> {
  const [id = "", ...command] = words;
  const { namespace, pod } = belongsTo(find(session, id));
  const place = insidePod(session.cluster, namespace, pod);
  if (place === null || command.length === 0)
    throw new CommandError(`Error response from daemon: Container ${id} is not running`);
  session.places.push(place);
  if (/^(\/bin\/)?(ba)?sh$/.test(command[0]!) && command.length === 1) return 0;
  try {
    return await session.runWords(command, io);
  } finally {
    session.places.pop();
  }
}

function logs(session: Session, word: string): string {
  const one = find(session, word);
  const { namespace, pod, container } = belongsTo(one);
  const spec = podOf(session, one)?.spec?.containers.find(({ name }) => name === container);
  const requests = session.requests.get(`${namespace}/${pod}/${container}`) ?? [];
  return (spec === undefined ? "" : logOf(spec)) + requests.join("");
}
