import { createHash } from "node:crypto";
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import type { SimulatedPod } from "../../cluster/build/pod.ts";
import { formatIpv4, formatMac } from "../../packet/address.ts";

const PAUSE_IMAGE = "gcr.io/google_containers/pause-amd64:3.0";

/** 64 hexadecimal digits that stand for a name, where docker draws them. */
const idOf = (...name: string[]): string => createHash("sha256").update(name.join("/")).digest("hex");

/**
 * What `docker inspect` prints of every container on a node, docker 1.12: of each pod its containers, which live in the
 * pause container's network, and then the pause container. Only what networking decides is there; ids are
 * drawn from names.
 */
export function dockerInspect(cluster: SimulatedCluster, node: string): string {
  return `${JSON.stringify(cluster.podsOn(node).flatMap(containersOf), null, 4)}\n`;
}

function containersOf(pod: SimulatedPod): object[] {
  const { namespace, name, containers, hostNetwork, nodeName } = pod.model;
  const uid = [nodeName, namespace, name] as const;
  const pause = idOf(...uid, "POD");
  const mode = hostNetwork ? "host" : `container:${pause}`;
  const apps = containers.map((one) =>
    container(pod, one.name, one.image, idOf(...uid, one.name), mode, NOTHING),
  );
  const settings = hostNetwork ? onHost(pause) : onBridge(pod, pause);
  return [...apps, container(pod, "POD", PAUSE_IMAGE, pause, hostNetwork ? "host" : "default", settings)];
}

function container(
  { model }: SimulatedPod,
  name: string,
  image: string,
  id: string,
  networkMode: string,
  networkSettings: object,
): object {
  return {
    Id: id,
    State: { Status: "running", Running: true },
    Name: `/k8s_${name}_${model.name}_${model.namespace}`,
    HostConfig: {
      NetworkMode: networkMode,
      PortBindings: name === "POD" ? portsOf(model.containers) : null,
    },
    Config: {
      Hostname: model.name,
      Image: image,
      Labels: {
        "io.kubernetes.container.name": name,
        "io.kubernetes.pod.name": model.name,
        "io.kubernetes.pod.namespace": model.namespace,
      },
    },
    NetworkSettings: networkSettings,
  };
}

/** NetworkSettings of a container that has no network of its own; the keys in docker's order. */
const NOTHING = {
  Bridge: "",
  SandboxID: "",
  HairpinMode: false,
  LinkLocalIPv6Address: "",
  LinkLocalIPv6PrefixLen: 0,
  Ports: null as object | null,
  SandboxKey: "",
  SecondaryIPAddresses: null,
  SecondaryIPv6Addresses: null,
  EndpointID: "",
  Gateway: "",
  GlobalIPv6Address: "",
  GlobalIPv6PrefixLen: 0,
  IPAddress: "",
  IPPrefixLen: 0,
  IPv6Gateway: "",
  MacAddress: "",
  Networks: null as object | null,
};

function onBridge({ model, node, sandbox }: SimulatedPod, id: string): object {
  const sandboxId = idOf(id, "sandbox");
  const own = sandbox!.eth0.addresses[0]!;
  const endpoint = {
    EndpointID: idOf(id, "endpoint"),
    Gateway: formatIpv4(node.bridge.addresses[0]!.local),
    IPAddress: formatIpv4(own.local),
    IPPrefixLen: own.prefixLength,
    IPv6Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    MacAddress: formatMac(sandbox!.eth0.mac),
  };
  return {
    ...NOTHING,
    ...endpoint,
    SandboxID: sandboxId,
    Ports: portsOf(model.containers),
    SandboxKey: `/var/run/docker/netns/${sandboxId.slice(0, 12)}`,
    Networks: { bridge: network(idOf(model.nodeName, node.bridge.name), endpoint) },
  };
}

function onHost(id: string): object {
  const sandboxId = idOf(id, "sandbox");
  const endpoint = {
    EndpointID: idOf(id, "endpoint"),
    Gateway: "",
    IPAddress: "",
    IPPrefixLen: 0,
    IPv6Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    MacAddress: "",
  };
  return {
    ...NOTHING,
    SandboxID: sandboxId,
    Ports: {},
    SandboxKey: "/var/run/docker/netns/default",
    Networks: { host: network(idOf("host"), endpoint) },
  };
}

const network = (id: string, endpoint: object): object => ({
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  NetworkID: id,
  ...endpoint,
});

/** Published ports of the whole pod: `"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}]`. */
function portsOf(containers: SimulatedPod["model"]["containers"]): object {
  const ports: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const one of containers)
    for (const { containerPort, protocol, hostPort, hostIP } of one.ports) {
      if (hostPort === null) continue;
      const key = `${containerPort}/${protocol.toLowerCase()}`;
      ports[key] = [...(ports[key] ?? []), { HostIp: hostIP || "0.0.0.0", HostPort: String(hostPort) }];
    }
  return ports;
}
