import { createHash } from "node:crypto";

/**
 * The kernel's names of a lab's namespaces: `pp-LAB_NODE`, `pp-LAB_NODE_NAMESPACE_POD`, `pp-LAB_HOST`,
 * `pp-LAB_@SEGMENT`. Kubernetes' names hold no `_`, so a name can be read back; what is too long for a file's name
 * (NAME_MAX 255) or holds other characters is `pp-LAB_~HASH`, which only the lab's state can read back.
 */
const PREFIX = "pp-";
const NAME_MAX = 255;
const PLAIN = /^[A-Za-z0-9.@-]+(\/[A-Za-z0-9.@-]+)*$/;

/** What all namespaces of one lab begin with. Ends in `_`, so that no lab's prefix begins another's. */
export const labPrefix = (lab: string): string => `${PREFIX}${plain(lab) ? lab : shortHash(lab)}_`;

const plain = (lab: string): boolean => /^[A-Za-z0-9.-]{1,60}$/.test(lab);

const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** The namespace that stands for a segment. */
export const segmentNetns = (segment: string): string => `@${segment}`;

/** The kernel's name of a simulated namespace. */
export function kernelNetnsName(lab: string, netns: string): string {
  const prefix = labPrefix(lab);
  const name = prefix + netns.replaceAll("/", "_");
  return PLAIN.test(netns) && name.length <= NAME_MAX ? name : `${prefix}~${shortHash(netns)}`;
}

/** The simulated name behind a kernel's name; null when it is not of this lab or only its state can tell. */
export function simulatedNetnsName(lab: string, kernelName: string): string | null {
  const prefix = labPrefix(lab);
  if (!kernelName.startsWith(prefix)) return null;
  const rest = kernelName.slice(prefix.length);
  return rest.startsWith("~") ? null : rest.replaceAll("_", "/");
}
