import { setLinkUp } from "../../linux/ip/address.ts";
import { ipRouteOutput, sourceFor } from "../../linux/ip/route-output.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { bridgeFdb } from "../../topology/export/bridge-fdb.ts";
import { ipAddr } from "../../topology/export/ip-addr.ts";
import { ipNeigh } from "../../topology/export/ip-neigh.ts";
import { ipRoute } from "../../topology/export/ip-route.ts";
import { type Command, CommandError } from "../session/command.ts";
import type { Session } from "../session/session.ts";
import { resolveName } from "./resolve-name.ts";

const OBJECTS = ["address", "link", "neighbour", "route"] as const;
const OBJECT_HELP = 'Object "%" is unknown, try "ip help".';

/** `ip addr|link|neigh|route [show] [dev DEV]`, `ip route get ADDRESS`, `ip link set DEV up|down`. */
export const ip: Command = {
  name: "ip",
  summary: "a machine's devices, addresses, routes and neighbours",
  run(session, args, io) {
    const words = args.filter((word) => !/^-(4|o|d|s|br)$/.test(word));
    const [object = "", ...rest] = words;
    const name = OBJECTS.find((one) => object !== "" && one.startsWith(object));
    if (name === undefined) throw new CommandError(OBJECT_HELP.replace("%", object), 255);
    if (name === "route" && rest[0] === "get") io.out(routeGet(session, rest[1] ?? ""));
    else if (name === "link" && rest[0] === "set") setLink(session, rest.slice(1));
    else io.out(show(session, name, deviceOf(session, rest)));
    return 0;
  },
  complete: (session, args) => [
    ...(args.length === 0 ? ["addr", "route", "link", "neigh"] : ["show", "dev", "get"]),
    ...session.place.netns.devices.keys(),
  ],
};

/** The device that a command line is limited to, or null. Throws CommandError when there is none of that name. */
function deviceOf(session: Session, words: readonly string[]): string | null {
  const name = words.filter((word) => !/^(show|sh|s|list|ls|l|dev)$/.test(word)).at(-1);
  if (name === undefined) return null;
  if (!session.place.netns.devices.has(name)) throw new CommandError(`Device "${name}" does not exist.`);
  return name;
}

function show(session: Session, object: (typeof OBJECTS)[number], device: string | null): string {
  const { netns } = session.place;
  switch (object) {
    case "address":
      return onlyDevice(ipAddr(netns), device);
    case "link":
      return onlyDevice(ipAddr(netns), device).replace(/^ {4}inet .*\n^ {7}valid_lft .*\n/gm, "");
    case "neighbour":
      return linesAbout(ipNeigh(netns), device);
    case "route":
      return linesAbout(ipRoute(netns), device);
  }
}

function onlyDevice(text: string, device: string | null): string {
  if (device === null) return text;
  return text
    .split(/^(?=\d+: )/m)
    .filter((part) => part.replace(/^\d+: /, "").split(/[@:]/)[0] === device)
    .join("");
}

function linesAbout(text: string, device: string | null): string {
  if (device === null) return text;
  const lines = text.split("\n").filter((line) => ` ${line} `.includes(` dev ${device} `));
  return lines.map((line) => `${line.replace(` dev ${device}`, "")}\n`).join("");
}

/** `ip route get`: the way out, its device and the source that a socket would take. */
function routeGet(session: Session, text: string): string {
  const { netns } = session.place;
  const destination = resolveName(session, text);
  if (destination === null)
    throw new CommandError(`Error: any valid prefix is expected rather than "${text}".`);
  const route = ipRouteOutput(netns, destination, 0);
  if (typeof route === "string") throw new CommandError("RTNETLINK answers: Network is unreachable", 2);
  const isLocal = route.type === RTN_LOCAL;
  const via = route.gateway === 0 ? "" : ` via ${formatIpv4(route.gateway)}`;
  const source = formatIpv4(sourceFor(route, destination));
  return `${isLocal ? "local " : ""}${formatIpv4(destination)}${via} dev ${route.dev?.name ?? "lo"} ${isLocal ? "table local " : ""}src ${source} \n    cache \n`;
}

const RTN_LOCAL = 2;

function setLink(session: Session, words: readonly string[]): void {
  const name = words.find((word) => word !== "dev" && word !== "up" && word !== "down") ?? "";
  const device = session.place.netns.devices.get(name);
  if (device === undefined) throw new CommandError(`Cannot find device "${name}"`);
  setLinkUp(device, words.includes("up"));
}

/** `bridge fdb [show] [br BRIDGE] [dev DEV]` */
export const bridge: Command = {
  name: "bridge",
  summary: "what a node's bridges have learned",
  run(session, args, io) {
    if (args[0] !== "fdb")
      throw new CommandError(`Object "${args[0] ?? ""}" is unknown, try "bridge help".`, 255);
    const value = (word: string) => (args.includes(word) ? args[args.indexOf(word) + 1] : undefined);
    const lines = bridgeFdb(session.place.netns).split("\n").slice(0, -1);
    const shown = lines.filter((line) => {
      const has = (word: string, name: string | undefined) =>
        name === undefined || ` ${line} `.includes(` ${word} ${name} `);
      return has("dev", value("dev")) && (has("master", value("br")) || has("dev", value("br")));
    });
    io.out(shown.map((line) => `${line}\n`).join(""));
    return 0;
  },
  complete: () => ["fdb", "show", "br", "dev"],
};
