import { type Packet, TCPOPTS_SYN } from "../../../src/packet/packet.ts";
import { routed } from "../../linux/networks.ts";
import { tcp } from "../../linux/packets.ts";
import type { Situation, Step } from "../step.ts";

const CLIENT = "10.0.0.1:4000";
const SERVER = "10.0.1.1:80";

type Fields = Partial<Packet>;

/** The client's sequence numbers begin at 1000, the server's at 5000. */
const c = (flags: string, seq: number, ack: number, fields: Fields = {}): Step => ({
  do: "send",
  in: "c",
  packet: tcp(CLIENT, SERVER, flags, { seq, ack, ...options(flags), ...fields }),
});
const s = (flags: string, seq: number, ack: number, fields: Fields = {}): Step => ({
  do: "send",
  in: "s",
  packet: tcp(SERVER, CLIENT, flags, { seq, ack, ...options(flags), ...fields }),
});
const options = (flags: string): Fields =>
  flags.includes("S") ? { tcpOptions: TCPOPTS_SYN, mss: 1460 } : {};

const OPEN = [c("S", 1000, 0), s("SA", 5000, 1001), c("A", 1001, 5001)];
const DATA = [
  c("PA", 1001, 5001, { payloadLength: 100 }),
  s("A", 5001, 1101),
  s("PA", 5001, 1101, { payloadLength: 50 }),
  c("A", 1101, 5051),
];
const CLOSE = [c("FA", 1001, 5001), s("A", 5001, 1002), s("FA", 5001, 1002), c("A", 1002, 5002)];

const SEQUENCES: Readonly<Record<string, readonly Step[]>> = {
  "opens, talks, closes, and opens anew in TIME_WAIT": [
    ...OPEN,
    ...DATA,
    c("FA", 1101, 5051),
    s("A", 5051, 1102),
    s("FA", 5051, 1102),
    c("A", 1102, 5052),
    c("S", 9000, 0),
    s("SA", 7000, 9001),
    c("A", 9001, 7001),
  ],
  "closes from the server, both at once": [
    ...OPEN,
    s("FA", 5001, 1001),
    c("FA", 1001, 5001),
    s("A", 5002, 1002),
    c("A", 1002, 5002),
  ],
  "is refused": [c("S", 1000, 0), s("RA", 0, 1001), c("S", 1000, 0)],
  "SYN again and again": [
    c("S", 1000, 0),
    { do: "wait", ms: 1300 },
    c("S", 1000, 0),
    c("S", 2000, 0),
    s("SA", 5000, 2001),
    s("SA", 5000, 2001),
    c("A", 2001, 5001),
  ],
  "opens from both sides, a SYN/ACK of one": [
    c("S", 1000, 0),
    s("S", 5000, 0),
    c("SA", 1000, 5001),
    s("A", 5001, 1001),
    c("A", 1001, 5001),
  ],
  "a little more than the window": [
    ...OPEN,
    c("PA", 128_900, 5001, { payloadLength: 900 }),
    s("A", 5001, 129_800),
    c("A", 129_800, 5001),
  ],
  "opens from both sides": [
    c("S", 1000, 0),
    s("S", 5000, 0),
    s("SA", 5000, 1001),
    c("SA", 1000, 5001),
    c("A", 1001, 5001),
    s("A", 5001, 1001),
  ],
  "picked up in the middle": [
    c("A", 1000, 5000),
    c("PA", 1000, 5000, { payloadLength: 10 }),
    s("A", 5000, 1010),
    c("FA", 1010, 5000),
    s("RA", 5000, 1011),
  ],
  "picked up from the server's side": [
    s("PA", 5000, 1000, { payloadLength: 10 }),
    c("A", 1000, 5010),
    c("R", 1000, 0),
  ],
  "data beyond the window": [
    ...OPEN,
    c("PA", 900_000, 5001, { payloadLength: 10 }),
    s("A", 5001, 900_010),
    s("A", 5001, 1001),
    c("PA", 1001, 5001, { payloadLength: 10 }),
  ],
  "an acknowledgment of what was never sent": [
    ...OPEN,
    s("A", 5001, 500_000),
    c("A", 1001, 900_000),
    c("PA", 1001, 5001, { payloadLength: 5 }),
  ],
  "an old segment and an old acknowledgment": [
    ...OPEN,
    ...DATA,
    c("PA", 1001, 5001, { payloadLength: 100 }),
    s("A", 5051, 1001),
    c("PA", 0xfff00000, 5051, { payloadLength: 5 }),
    s("A", 5051, 0xfff00000),
  ],
  "a reset in sequence": [...OPEN, ...DATA, s("R", 5051, 0), c("S", 3000, 0)],
  "resets out of sequence": [
    ...OPEN,
    ...DATA,
    s("R", 5040, 0),
    s("R", 5060, 0),
    c("R", 900, 0),
    c("R", 1101, 0),
    c("R", 1200, 0),
  ],
  "a reset of the client, then its SYN again": [
    ...OPEN,
    c("R", 1001, 0),
    c("S", 9000, 0),
    s("SA", 7000, 9001),
  ],
  "a SYN within an open connection": [
    ...OPEN,
    ...DATA,
    c("S", 8000, 0),
    s("A", 5051, 1101),
    c("R", 1101, 0),
    c("S", 8000, 0),
  ],
  "a SYN that a SYN/ACK answers": [...OPEN, c("S", 8000, 0), s("SA", 6000, 8001), c("A", 8001, 6001)],
  "half open: an ACK answers a SYN": [c("S", 1000, 0), s("A", 777, 555), c("R", 555, 0), c("S", 1000, 0)],
  "a SYN in LAST_ACK and the ACK that challenges it": [
    ...OPEN,
    c("FA", 1001, 5001),
    s("FA", 5001, 1002),
    c("S", 9000, 0),
    s("A", 5002, 1002),
    c("A", 1002, 5002),
  ],
  "a FIN answered by a reset": [...OPEN, ...CLOSE.slice(0, 2), s("R", 5001, 0), c("A", 1002, 5001)],
  retransmissions: [
    ...OPEN,
    ...Array.from({ length: 5 }, () => c("PA", 1001, 5001, { payloadLength: 20 })),
    s("A", 5001, 1021),
  ],
  "no window": [
    ...OPEN,
    s("A", 5001, 1001, { window: 0 }),
    c("A", 1001, 5001, { window: 0 }),
    c("PA", 1001, 5001, { payloadLength: 1 }),
  ],
  "without window scaling": [
    c("S", 1000, 0, { tcpOptions: 0 }),
    s("SA", 5000, 1001, { tcpOptions: 0 }),
    c("A", 1001, 5001),
    c("PA", 1500, 5001, { payloadLength: 400 }),
    c("PA", 4000, 5001, { payloadLength: 400 }),
  ],
  "flags that no stack sends": [
    c("S", 1000, 0),
    c("SF", 1000, 0),
    c("", 1000, 0),
    s("SA", 5000, 1001),
    c("F", 1001, 0),
    c("A", 1001, 5001),
    c("SR", 1001, 0),
  ],
  "a FIN out of the window": [
    ...OPEN,
    ...DATA,
    c("FA", 800_000, 5051),
    s("RA", 700_000, 1101),
    s("FA", 800_000, 1101),
    c("RA", 700_000, 5051),
  ],
};

/** TCP as conntrack follows it: every sequence with its state and timeout after each segment. */
export const TCP: readonly Situation[] = Object.entries(SEQUENCES).map(([name, steps]) => ({
  name,
  plan: routed({
    c: { rules: { filter: ["-A INPUT -p tcp -j DROP"] } },
    s: { rules: { filter: ["-A INPUT -p tcp -j DROP"] } },
    r: {
      rules: {
        filter: ["NEW", "ESTABLISHED", "INVALID"].map(
          (state) => `-A FORWARD -m conntrack --ctstate ${state}`,
        ),
      },
    },
  }),
  inspect: ["r"],
  follow: true,
  steps,
}));
