import { commandsOf, type RuleCommand } from "../node-rules/command.ts";
import { blockText, toBlock } from "../objects/address.ts";

/** What of docker's configuration decides its rules. */
export interface DockerRules {
  readonly bridge: string;
  /** The bridge's address with its prefix length. */
  readonly address: string;
  /** `--ip-masq` */
  readonly ipMasq: boolean;
  /** `--iptables`; false: docker leaves iptables alone. */
  readonly iptables: boolean;
  /** Policy of FORWARD: docker 1.13 sets DROP when it had to switch `ip_forward` on itself, 1.12 leaves it. */
  readonly forwardPolicy: "ACCEPT" | "DROP";
  /** `--userland-proxy`, on unless switched off. */
  readonly userlandProxy?: boolean;
}

const nat = commandsOf("nat");
const filter = commandsOf("filter");

/**
 * What docker's daemon does to iptables at its start (libnetwork drivers/bridge/setup_ip_tables.go and
 * iptables/iptables.go, release v0.8: docker 1.12 and 1.13), in its order. Everything is inserted at the head of its
 * chain but the two jumps of nat, which are appended; DOCKER-ISOLATION's jump is put on top last. So FORWARD reads:
 * DOCKER-ISOLATION, to the bridge DOCKER, to the bridge what is known, from the bridge out, on the bridge.
 */
export function dockerRules(docker: DockerRules): RuleCommand[] {
  if (!docker.iptables) return [];
  const { bridge, ipMasq, userlandProxy = true } = docker;
  const subnet = blockText(toBlock(docker.address));
  return [
    ...nat("-N DOCKER"),
    ...filter("-N DOCKER", "-N DOCKER-ISOLATION", "-I DOCKER-ISOLATION -j RETURN"),
    ...(docker.forwardPolicy === "DROP" ? filter("-P FORWARD DROP") : []),
    ...(ipMasq ? nat(`-I POSTROUTING -s ${subnet} ! -o ${bridge} -j MASQUERADE`) : []),
    ...(ipMasq && userlandProxy ? nat(`-I DOCKER -i ${bridge} -j RETURN`) : []),
    ...(userlandProxy ? [] : nat(`-I POSTROUTING -o ${bridge} -m addrtype --src-type LOCAL -j MASQUERADE`)),
    ...filter(
      `-I FORWARD -i ${bridge} -o ${bridge} -j ACCEPT`,
      `-I FORWARD -i ${bridge} ! -o ${bridge} -j ACCEPT`,
      `-I FORWARD -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    ),
    ...nat(
      "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
      `-A OUTPUT ${userlandProxy ? "! -d 127.0.0.0/8 " : ""}-m addrtype --dst-type LOCAL -j DOCKER`,
    ),
    ...filter(`-I FORWARD -o ${bridge} -j DOCKER`, "-I FORWARD -j DOCKER-ISOLATION"),
  ];
}

/** A container's port on a port of the node. */
export interface PublishedPort {
  readonly protocol: "tcp" | "udp" | "sctp";
  /** Address of the node that is listened on; `0.0.0.0` is all. */
  readonly hostIP: string;
  readonly hostPort: number;
  readonly containerAddress: string;
  readonly containerPort: number;
}

/**
 * The rules of one published port (iptables/iptables.go: ChainInfo.Forward), as commands with `action` `-A` when the
 * container starts and `-D` when it ends. None under `--iptables=false`.
 */
export function publishedPortRules(
  docker: DockerRules,
  port: PublishedPort,
  action: "-A" | "-D",
): RuleCommand[] {
  if (!docker.iptables) return [];
  const { bridge, userlandProxy = true } = docker;
  const { protocol, hostIP, hostPort, containerAddress, containerPort } = port;
  const to = `-d ${containerAddress}/32`;
  const match = `-p ${protocol} -m ${protocol} --dport`;
  const hostAddress = hostIP === "0.0.0.0" ? "" : `-d ${hostIP}/32 `;
  const notFromBridge = userlandProxy ? `! -i ${bridge} ` : "";
  return [
    ...nat(
      `${action} DOCKER ${hostAddress}${notFromBridge}${match} ${hostPort} -j DNAT --to-destination ${containerAddress}:${containerPort}`,
    ),
    ...filter(`${action} DOCKER ${to} ! -i ${bridge} -o ${bridge} ${match} ${containerPort} -j ACCEPT`),
    ...nat(`${action} POSTROUTING -s ${containerAddress}/32 ${to} ${match} ${containerPort} -j MASQUERADE`),
  ];
}
