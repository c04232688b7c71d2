import type { Skb } from "../../linux/skb.ts";
import type { SocketError } from "../../linux/socket/error.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { ICMP_TIME_EXCEEDED } from "../../packet/packet.ts";
import { type Command, CommandError } from "../session/command.ts";
import type { Session } from "../session/session.ts";
import { tracerouteMark } from "./icmp-words.ts";
import { resolveName } from "./resolve-name.ts";
import { readWords } from "./words.ts";

const FIRST_PORT = 33434;
const PROBES = 3;
const WAIT_SECONDS = 5;
const PAYLOAD = 32;

/** `traceroute [-n] [-I] [-m HOPS] [-q PROBES] HOST` */
export const traceroute: Command = {
  name: "traceroute",
  summary: "the routers on the way",
  run(session, args, io) {
    const words = readWords("traceroute", args, {
      numeric: { type: "boolean", short: "n" },
      icmp: { type: "boolean", short: "I" },
      "max-hops": { type: "string", short: "m" },
      queries: { type: "string", short: "q" },
      wait: { type: "string", short: "w" },
    });
    const name = words.positionals[0];
    if (name === undefined) throw new CommandError('Specify "host" missing argument.', 2);
    const address = resolveName(session, name);
    if (address === null) throw new CommandError(`${name}: Name or service not known`, 2);
    const hops = words.number("max-hops", 30);
    io.out(`traceroute to ${name} (${formatIpv4(address)}), ${hops} hops max, 60 byte packets\n`);
    let port = FIRST_PORT;
    for (let ttl = 1; ttl <= hops; ttl++) {
      const answers: (Answer | null)[] = [];
      for (let i = 0; i < words.number("queries", PROBES); i++)
        answers.push(
          words.has("icmp")
            ? probeEcho(session, address, ttl, port++)
            : probeUdp(session, address, ttl, port++),
        );
      if (answers.every((one) => one === null)) session.plane.advance(words.number("wait", WAIT_SECONDS));
      io.out(`${String(ttl).padStart(2)} ${hopText(answers, words.has("numeric"))}\n`);
      if (answers.some((one) => one?.isLast === true)) break;
    }
    return 0;
  },
};

interface Answer {
  from: number;
  ms: number;
  mark: string;
  isLast: boolean;
}

function hopText(answers: readonly (Answer | null)[], numeric: boolean): string {
  let last: number | null = null;
  let text = "";
  for (const answer of answers) {
    if (answer === null) {
      text += " *";
      continue;
    }
    if (answer.from !== last) {
      const address = formatIpv4(answer.from);
      text += ` ${numeric ? address : `${address} (${address})`}`;
    }
    last = answer.from;
    text += `  ${answer.ms.toFixed(3)} ms${answer.mark}`;
  }
  return text;
}

function answerOf({ icmp }: SocketError, ms: number): Answer | null {
  if (icmp === null) return null;
  return {
    from: icmp.from,
    ms,
    mark: tracerouteMark(icmp.type, icmp.code),
    isLast: icmp.type !== ICMP_TIME_EXCEEDED,
  };
}

function probeUdp(
  session: Session,
  destination: number,
  ttl: number,
  destinationPort: number,
): Answer | null {
  const { network } = session.cluster;
  const { netns } = session.place;
  const [first, last] = netns.sysctl.localPortRange;
  const sourcePort = first + netns.chooser.pick(last - first + 1, "port");
  const begin = network.clock.nowUs;
  const passed = () => (network.clock.nowUs - begin) / 1000;
  let answer: Answer | null = null;
  const socket = netns.sockets.udp.bind({
    address: 0,
    port: sourcePort,
    owner: null,
    receive: ({ packet }: Skb) => {
      answer = { from: packet.src, ms: passed(), mark: "", isLast: true };
    },
    error: (error: SocketError) => {
      answer = answerOf(error, passed());
    },
  });
  netns.sockets.udp.send({
    destination,
    destinationPort,
    sourcePort,
    payloadLength: PAYLOAD,
    ttl,
    discovery: "dont",
  });
  network.settle();
  netns.sockets.udp.unbind(socket);
  return answer;
}

function probeEcho(session: Session, destination: number, ttl: number, id: number): Answer | null {
  const { network } = session.cluster;
  const { netns } = session.place;
  const begin = network.clock.nowUs;
  const passed = () => (network.clock.nowUs - begin) / 1000;
  let answer: Answer | null = null;
  const socket = {
    id,
    reply: ({ packet }: Skb) => {
      answer = { from: packet.src, ms: passed(), mark: "", isLast: true };
    },
    error: (error: SocketError) => {
      answer = answerOf(error, passed());
    },
  };
  netns.sockets.ping.open(socket);
  netns.sockets.ping.send({ destination, id, sequence: 1, payloadLength: PAYLOAD, ttl, discovery: "dont" });
  network.settle();
  netns.sockets.ping.close(socket);
  return answer;
}
