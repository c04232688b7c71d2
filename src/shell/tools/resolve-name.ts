/** Names of machines and Services, as /etc/hosts and the cluster's DNS would have them. */
import { serviceAddresses } from "../../cluster/build/service-addresses.ts";
import { isAddress, toNumber } from "../../cluster/objects/address.ts";
import { nameOf, namespaceOf } from "../../cluster/objects/store.ts";
import type { Session } from "../session/session.ts";

const LOOPBACK = 0x7f000001;

/** The address of a name as an unsigned number; null when nobody knows it. Names of Services are known inside pods. */
export function resolveName(session: Session, name: string): number | null {
  if (isAddress(name)) return toNumber(name);
  if (name === "localhost") return LOOPBACK;
  const { model } = session.cluster;
  const node = model.nodes.find((one) => one.name === name);
  if (node !== undefined) return toNumber(node.internalIP);
  const host = model.hosts.find((one) => one.name === name)?.nics[0]?.addresses[0];
  if (host !== undefined) return toNumber(host.split("/")[0]!);
  const { pod } = session.place;
  if (pod === null) return null;
  const [service, namespace = pod.namespace] = name.replace(/\.svc(\.cluster\.local\.?)?$/, "").split(".");
  const found = model.services.find((one) => nameOf(one) === service && namespaceOf(one) === namespace);
  const address = found === undefined ? null : serviceAddresses(found).clusterIP;
  return address === null ? null : toNumber(address);
}
