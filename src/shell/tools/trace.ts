import { PROTOCOLS, RequestError, type TraceProtocol } from "../../trace/request.ts";
import { send } from "../../trace/send.ts";
import { renderTrace } from "../../trace/text/render.ts";
import { type Command, CommandError } from "../session/command.ts";
import type { Session } from "../session/session.ts";
import { readWords } from "./words.ts";

const WIDTH = 100;

/** `trace [--from SOURCE] --to TARGET`: as `podpath trace`, from where the session is, in the cluster as it is now. */
export const trace: Command = {
  name: "trace",
  summary: "one packet's whole way, hop by hop",
  run(session, args, io) {
    const words = readWords("trace", args, {
      from: { type: "string" },
      to: { type: "string" },
      protocol: { type: "string" },
      "source-port": { type: "string" },
      ttl: { type: "string" },
      size: { type: "string" },
      "dont-fragment": { type: "boolean" },
      "no-reply": { type: "boolean" },
      verbose: { type: "boolean", short: "v" },
      output: { type: "string", short: "o" },
    });
    const to = words.text("to") ?? words.positionals[0];
    if (to === undefined) throw new CommandError("trace: --to says whom to", 2);
    const protocol = words.text("protocol");
    if (protocol !== undefined && !PROTOCOLS.some((one) => one === protocol))
      throw new CommandError(`trace: --protocol is one of ${PROTOCOLS.join(", ")}`, 2);
    const number = (flag: string, name: string) =>
      words.text(flag) === undefined ? {} : { [name]: words.number(flag, 0) };
    try {
      const result = send(session.cluster, {
        from: words.text("from") ?? sourceHere(session),
        to: inNamespace(session, to),
        reply: !words.has("no-reply"),
        ...(protocol === undefined ? {} : { protocol: protocol as TraceProtocol }),
        ...(words.has("dont-fragment") ? { dontFragment: true } : {}),
        ...number("source-port", "sourcePort"),
        ...number("ttl", "ttl"),
        ...number("size", "size"),
      });
      if (words.text("output") === "json") io.out(`${JSON.stringify(result, null, 2)}\n`);
      else io.out(renderTrace(result, { verbose: words.has("verbose"), color: false, width: WIDTH }));
      return result.verdict === "delivered" ? 0 : 1;
    } catch (error) {
      if (error instanceof RequestError) throw new CommandError(`trace: ${error.message}`, 2);
      throw error;
    }
  },
  complete: (session) => {
    const { model } = session.cluster;
    return [
      ...["--from", "--to", "--protocol", "--verbose"],
      ...model.pods.map(({ namespace, name }) => `pod/${namespace}/${name}`),
      ...model.services.map(({ metadata }) => `svc/${metadata?.namespace}/${metadata?.name}`),
      ...model.nodes.map(({ name }) => `node/${name}`),
      ...model.hosts.map(({ name }) => `host/${name}`),
    ];
  },
};

function sourceHere({ place }: Session): string {
  return place.pod === null ? `${place.kind}/${place.name}` : `pod/${place.pod.namespace}/${place.pod.name}`;
}

/** `svc/NAME` and `pod/NAME` mean those of the session's namespace. */
function inNamespace({ namespace }: Session, text: string): string {
  return text.replace(/^(svc|pod)\/([^/]+)$/, `$1/${namespace}/$2`);
}
