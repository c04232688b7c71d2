/** The devices of a node have one name each, and none the kernel would not give. */
import type { NodeSettings } from "../../cluster/objects/cluster.ts";
import type { FlannelBackend } from "../../cluster/objects/model.ts";
import type { Path } from "../../cluster/objects/validate.ts";
import type { Context } from "./context.ts";

/**
 * Reports a NIC or docker bridge, of all nodes or of one, that has another device's name, or one of the two that stand for
 * every device in `net.ipv4.conf` (net/ipv4/devinet.c: sysctl_dev_name_is_allowed).
 */
export function checkDeviceNames(
  defaults: DeviceNames,
  backend: FlannelBackend,
  { objects, report }: Context,
): void {
  const { cluster } = objects;
  const spec = cluster?.spec;
  if (cluster === null || spec === undefined) return;
  const check = (settings: NodeSettings, path: Path, unsaid: DeviceNames) => {
    for (const { field, text } of clashes(settings, unsaid, backend))
      report(cluster, [...path, ...field], text);
  };
  check(spec.node ?? {}, ["spec", "node"], defaults);
  const common = {
    nic: spec.node?.nic?.name ?? defaults.nic,
    bridge: spec.node?.docker?.bridge ?? defaults.bridge,
  };
  for (const [name, settings] of Object.entries(spec.nodes ?? {}))
    check(settings, ["spec", "nodes", name], common);
}

/** What the two devices are called that a topology may name. */
interface DeviceNames {
  nic: string;
  bridge: string;
}

/** Faults of the names that `settings` states; `unsaid` are those of what it leaves out. */
function clashes(
  { nic, docker }: NodeSettings,
  unsaid: DeviceNames,
  backend: FlannelBackend,
): { field: Path; text: string }[] {
  const others = new Map([
    ["lo", "the loopback device"],
    ["all", "what stands for every device in net.ipv4.conf"],
    ["default", "what stands for every new device in net.ipv4.conf"],
  ]);
  const tunnel = tunnelName(backend);
  if (tunnel !== null) others.set(tunnel, "flannel's device");
  const faults: { field: Path; text: string }[] = [];
  const check = (field: Path, name: string | undefined) => {
    const holder = name === undefined ? undefined : others.get(name);
    if (holder !== undefined) faults.push({ field, text: `${name} is ${holder}` });
  };
  if (nic?.name === undefined) others.set(unsaid.nic, "the NIC");
  check(["docker", "bridge"], docker?.bridge);
  others.set(docker?.bridge ?? unsaid.bridge, "docker's bridge");
  check(["nic", "name"], nic?.name);
  return faults;
}

function tunnelName(backend: FlannelBackend): string | null {
  switch (backend.type) {
    case "udp":
      return "flannel0";
    case "vxlan":
      return `flannel.${backend.vni}`;
    case "host-gw":
      return null;
  }
}
