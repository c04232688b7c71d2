/** Hosts: their addresses on segments, their routes, what they listen on. */
import { type Block, contains, toBlock, toNumber } from "../../cluster/objects/address.ts";
import type { Host } from "../../cluster/objects/host.ts";
import type { HostModel, ListenPort, NicModel } from "../../cluster/objects/model.ts";
import { didYouMean } from "../../cluster/objects/nearest.ts";
import { toSysctls } from "../../cluster/objects/sysctl.ts";
import type { Path } from "../../cluster/objects/validate.ts";
import type { AddressBook } from "./address-book.ts";
import type { Context } from "./context.ts";
import { addressesOf, describe, isHostAddress, type SegmentPlan } from "./segments.ts";

const DEFAULT_MTU = 1500;

/** The hosts, in order of name. Their addresses are entered into the book. */
export function resolveHosts(
  context: Context,
  segments: readonly SegmentPlan[],
  book: AddressBook,
): HostModel[] {
  const { hosts } = context.objects;
  return [...hosts.keys()].sort().map((name) => resolveHost(name, hosts.get(name)!, context, segments, book));
}

function resolveHost(
  name: string,
  host: Host,
  context: Context,
  segments: readonly SegmentPlan[],
  book: AddressBook,
): HostModel {
  const fault = (path: Path, text: string) => context.report(host, path, text);
  const { gateway = null, routes = [], listen = [], sysctl = {}, mtu = DEFAULT_MTU } = host.spec;
  if (context.objects.store.nodes.has(name))
    fault(["metadata", "name"], `there is a Node of this name: ${name}`);
  const written = addressesOf(host);
  if (written.length === 0) fault(["spec", "address"], "is missing");
  const nics: NicModel[] = [];
  for (const { text, path } of written) {
    const address = text.slice(0, text.indexOf("/"));
    if (!isHostAddress(toBlock(text), toNumber(address))) fault(path, `${text} is no host's address`);
    const holder = book.enter(address, `Host ${name}`);
    if (holder !== null) fault(path, `${address} is the address of ${holder} already`);
    const segment = segmentOf(host, address, path, segments, fault);
    if (segment !== null) attach(nics, segment, text, mtu);
  }
  const blocks = written.map(({ text }) => toBlock(text));
  if (blocks.length > 0) checkNextHops(host, blocks, fault);
  const routeModels = routes.map(({ to, via }) => ({ to, via }));
  return { name, nics, gateway, routes: routeModels, listen: listenPorts(listen), ...toSysctls(sysctl) };
}

/** Listed ports, TCP unless they say otherwise. */
export function listenPorts(
  listen: readonly (number | { port: number; protocol?: ListenPort["protocol"] | undefined })[],
): ListenPort[] {
  return listen.map((one) =>
    typeof one === "number"
      ? { port: one, protocol: "TCP" }
      : { port: one.port, protocol: one.protocol ?? "TCP" },
  );
}

function attach(nics: NicModel[], { name: segment }: SegmentPlan, address: string, mtu: number): void {
  const nic = nics.find((one) => one.segment === segment);
  if (nic === undefined) nics.push({ name: `eth${nics.length}`, mtu, segment, addresses: [address] });
  else nic.addresses.push(address);
}

function segmentOf(
  host: Host,
  address: string,
  path: Path,
  segments: readonly SegmentPlan[],
  fault: (path: Path, text: string) => void,
): SegmentPlan | null {
  const { segment } = host.spec;
  if (segment !== undefined) {
    const named = segments.find(({ name }) => name === segment);
    if (named === undefined) {
      const hint = didYouMean(
        segment,
        segments.map(({ name }) => name),
      );
      fault(["spec", "segment"], `there is no segment "${segment}"${hint}`);
    }
    return named ?? null;
  }
  const around = segments.find(({ block }) => contains(block, toNumber(address)));
  const found = around ?? segments.find(({ isImplied }) => isImplied) ?? null;
  if (found === null)
    fault(path, `${address} lies in no segment (${describe(segments)}); name one in spec.segment`);
  return found;
}

/** A next hop that is on none of the host's own networks cannot be asked for by ARP. */
function checkNextHops(
  host: Host,
  blocks: readonly Block[],
  fault: (path: Path, text: string) => void,
): void {
  const check = (path: Path, hop: string) => {
    const isNear = blocks.some((block) => contains(block, toNumber(hop)));
    if (!isNear) fault(path, `${hop} is on none of the host's networks`);
    else if (addressesOf(host).some(({ text }) => text.startsWith(`${hop}/`)))
      fault(path, `${hop} is the host's own address`);
  };
  if (host.spec.gateway !== undefined) check(["spec", "gateway"], host.spec.gateway);
  for (const [i, { via }] of (host.spec.routes ?? []).entries()) check(["spec", "routes", i, "via"], via);
}
