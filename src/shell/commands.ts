/** Every command of the shell. */
import { kubectl } from "./kubectl/kubectl.ts";
import type { Command } from "./session/command.ts";
import { conntrack } from "./tools/conntrack.ts";
import { curl } from "./tools/curl.ts";
import { docker } from "./tools/docker.ts";
import { bridge, ip } from "./tools/ip.ts";
import { iptables, iptablesSave } from "./tools/iptables.ts";
import { jq } from "./tools/jq.ts";
import { MACHINE_TOOLS } from "./tools/machine-tools.ts";
import { netcat } from "./tools/netcat.ts";
import { ping } from "./tools/ping.ts";
import { requests } from "./tools/requests.ts";
import { tcpdump } from "./tools/tcpdump.ts";
import { TEXT_TOOLS } from "./tools/text-tools.ts";
import { trace } from "./tools/trace.ts";
import { traceroute } from "./tools/traceroute.ts";

export const COMMANDS: readonly Command[] = [
  kubectl,
  docker,
  trace,
  curl,
  requests,
  ping,
  traceroute,
  netcat,
  tcpdump,
  ip,
  bridge,
  iptables,
  iptablesSave,
  conntrack,
  jq,
  ...MACHINE_TOOLS,
  ...TEXT_TOOLS,
];
