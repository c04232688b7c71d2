import type { Skb } from "../../linux/skb.ts";
import type { SocketError } from "../../linux/socket/error.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { type Command, CommandError } from "../session/command.ts";
import type { Io } from "../session/io.ts";
import type { Session } from "../session/session.ts";
import { icmpErrorWords } from "./icmp-words.ts";
import { resolveName } from "./resolve-name.ts";
import { readWords } from "./words.ts";

/** Echo requests when nobody says how many: there is no Ctrl-C here. */
const DEFAULT_COUNT = 4;
const HEADERS = 28;
const MOST_ECHO_ID = 0xffff;

/** `ping [-c COUNT] [-s SIZE] [-t TTL] [-i SECONDS] [-M do|want|dont] [-W SECONDS] HOST` (iputils) */
export const ping: Command = {
  name: "ping",
  summary: "echo requests and what comes back",
  run(session, args, io) {
    const words = readWords("ping", args, {
      count: { type: "string", short: "c" },
      size: { type: "string", short: "s" },
      ttl: { type: "string", short: "t" },
      interval: { type: "string", short: "i" },
      discovery: { type: "string", short: "M" },
      wait: { type: "string", short: "W" },
      numeric: { type: "boolean", short: "n" },
      quiet: { type: "boolean", short: "q" },
    });
    const name = words.positionals[0];
    if (name === undefined) throw new CommandError("ping: usage error: Destination address required", 2);
    const address = resolveName(session, name);
    if (address === null) throw new CommandError(`ping: ${name}: Name or service not known`, 2);
    const ttl = words.text("ttl") === undefined ? {} : { ttl: words.number("ttl", 64) };
    const discovery = words.text("discovery") as "do" | "want" | "dont" | undefined;
    return run(session, io, {
      name,
      address,
      count: words.number("count", DEFAULT_COUNT),
      size: words.number("size", 56),
      interval: words.number("interval", 1),
      patience: words.number("wait", 10),
      ...ttl,
      ...(discovery === undefined ? {} : { discovery }),
    });
  },
};

interface Pinging {
  name: string;
  address: number;
  count: number;
  size: number;
  interval: number;
  patience: number;
  ttl?: number;
  discovery?: "do" | "want" | "dont";
}

function run(session: Session, io: Io, pinging: Pinging): number {
  const { network } = session.cluster;
  const { netns } = session.place;
  const times: number[] = [];
  let errors = 0;
  let sentUs = 0;
  const { size, count, address } = pinging;
  io.out(`PING ${pinging.name} (${formatIpv4(address)}) ${size}(${size + HEADERS}) bytes of data.\n`);
  const socket = {
    id: 1 + netns.chooser.pick(MOST_ECHO_ID, "id"),
    reply(skb: Skb) {
      const { src, icmpSeq, ttl, payloadLength } = skb.packet;
      const ms = (network.clock.nowUs - sentUs) / 1000;
      times.push(ms);
      io.out(
        `${payloadLength + 8} bytes from ${formatIpv4(src)}: icmp_seq=${icmpSeq} ttl=${ttl} time=${ms.toFixed(3)} ms\n`,
      );
    },
    error({ icmp, mtu }: SocketError) {
      errors++;
      if (icmp !== null)
        io.out(
          `From ${formatIpv4(icmp.from)} icmp_seq=${sequence} ${icmpErrorWords(icmp.type, icmp.code, mtu)}\n`,
        );
    },
  };
  let sequence = 0;
  netns.sockets.ping.open(socket);
  const begin = network.clock.nowUs;
  for (sequence = 1; sequence <= count; sequence++) {
    sentUs = network.clock.nowUs;
    const { errno, mtu } = netns.sockets.ping.send({
      destination: address,
      id: socket.id,
      sequence,
      payloadLength: size,
      ...(pinging.ttl === undefined ? {} : { ttl: pinging.ttl }),
      ...(pinging.discovery === undefined ? {} : { discovery: pinging.discovery }),
    });
    if (errno === "ENETUNREACH" && sequence === 1) {
      netns.sockets.ping.close(socket);
      throw new CommandError("connect: Network is unreachable", 2);
    }
    if (errno !== null) {
      errors++;
      io.err(
        errno === "EMSGSIZE"
          ? `ping: local error: Message too long, mtu=${mtu}\n`
          : "ping: sendmsg: Operation not permitted\n",
      );
    }
    network.settle();
    if (sequence < count) session.plane.advance(pinging.interval);
    else if (times.length + errors < count) session.plane.advance(pinging.patience);
  }
  netns.sockets.ping.close(socket);
  io.out(statistics(pinging, times, errors, (network.clock.nowUs - begin) / 1000));
  return times.length > 0 ? 0 : 1;
}

function statistics({ name, count }: Pinging, times: readonly number[], errors: number, ms: number): string {
  const lost = Math.round(((count - times.length) * 100) / Math.max(1, count));
  const failed = errors > 0 ? `, +${errors} errors` : "";
  const head = `\n--- ${name} ping statistics ---\n${count} packets transmitted, ${times.length} received${failed}, ${lost}% packet loss, time ${Math.floor(ms)}ms\n`;
  if (times.length === 0) return head;
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const deviation = Math.sqrt(times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / times.length);
  const shown = [Math.min(...times), mean, Math.max(...times), deviation]
    .map((time) => time.toFixed(3))
    .join("/");
  return `${head}rtt min/avg/max/mdev = ${shown} ms\n`;
}
