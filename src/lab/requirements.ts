import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Which iptables a lab's nodes have. */
export type IptablesVariant = "nft" | "legacy";

/** Where tools are, whatever PATH an ordinary user's shell has. */
const SBIN = ["/usr/sbin", "/sbin"];

function hasTool(name: string): boolean {
  return [...(process.env["PATH"] ?? "").split(delimiter), ...SBIN].some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What the lab needs and this machine does not give, in words; empty when it can be built. */
export function missingRequirements(iptables: IptablesVariant = "nft"): string[] {
  if (process.platform !== "linux") return [`Linux (this is ${process.platform})`];
  const missing: string[] = [];
  if (process.getuid?.() !== 0) missing.push("root (network namespaces are made)");
  const tools = ["ip", "bridge", "nsenter", "python3", "nfacct", "conntrack"];
  for (const tool of [...tools, `iptables-${iptables}-restore`, `iptables-${iptables}-save`])
    if (!hasTool(tool)) missing.push(`the program ${tool}`);
  if (!existsSync("/dev/net/tun")) missing.push("/dev/net/tun");
  if (!existsSync("/proc/self/ns/net")) missing.push("a kernel with network namespaces");
  return missing;
}
