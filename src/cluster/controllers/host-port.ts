/** Which ports of one node are taken by pods (`framework.HostPortInfo`). */
import type { HostPort } from "../objects/pod.ts";

/** Host ports of a node. 0.0.0.0 clashes with every address of the same port and protocol. */
export interface HostPortTable {
  /** Key of the pod that holds the port, or null when it is free. */
  holderOf(port: HostPort): string | null;
  take(port: HostPort, pod: string): void;
}

/** A table in which everything is free. */
export function hostPortTable(): HostPortTable {
  const holders = new Map<string, Map<string, string>>();
  const slot = ({ protocol, hostPort }: HostPort) => `${protocol}/${hostPort}`;
  return {
    holderOf(port) {
      const addresses = holders.get(slot(port));
      if (addresses === undefined) return null;
      if (port.hostIP === "0.0.0.0") return addresses.values().next().value ?? null;
      return addresses.get(port.hostIP) ?? addresses.get("0.0.0.0") ?? null;
    },
    take(port, pod) {
      const addresses = holders.get(slot(port)) ?? new Map<string, string>();
      addresses.set(port.hostIP, pod);
      holders.set(slot(port), addresses);
    },
  };
}
