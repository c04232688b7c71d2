import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasIptables } from "../../cluster/node-rules/real-iptables.ts";
import { bareCluster, ok, sessionIn, tutorialSession } from "../session.ts";

const NAMES: Readonly<Record<string, string>> = {
  "0": "all",
  "1": "icmp",
  "6": "tcp",
  "17": "udp",
  "132": "sctp",
};

/** What the real `iptables-legacy -nvL` prints of rules; protocols by name, as iptables before 1.8.9 prints them. */
function realList(saved: string, table: string): string {
  const folder = mkdtempSync(join(tmpdir(), "rule-list-"));
  try {
    const script = `set -e
nfacct add ct_state_invalid_dropped_pkts; nfacct add localhost_nps_accepted_pkts
iptables-legacy-restore <<'END'
${saved}END
iptables-legacy -nvL -t ${table}`;
    const text = execFileSync("unshare", ["-n", "sh", "-c", script], {
      encoding: "utf8",
      env: { ...process.env, XTABLES_LOCKFILE: join(folder, "lock") },
    });
    return text.replace(
      / (0|1|6|17|132) +(--|-f|!f) /g,
      (_, n: string, f: string) => ` ${NAMES[n]!.padEnd(4)} ${f} `,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const MANY = `*filter
-A FORWARD -i docker0 ! -o foo -p tcp -j ACCEPT
-A INPUT -d 10.0.0.1/32 -p tcp -m tcp --dport 80 -m addrtype ! --dst-type LOCAL -j REJECT --reject-with tcp-reset
-A INPUT -p udp -m udp --sport 53 ! --dport 53:60 -j DROP
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT
-A INPUT -m limit --limit 5/min -j LOG --log-prefix "seen "
-A INPUT -m mark ! --mark 0x4000/0x4000 -j RETURN
-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP
-A INPUT -m statistic --mode nth --every 3 --packet 0 -j ACCEPT
-A INPUT -m recent --rcheck --seconds 60 --name X --mask 255.255.255.255 --rsource -j ACCEPT
-A OUTPUT ! -d 127.0.0.0/8 -m comment --comment "a b" -j ACCEPT
COMMIT
`;

/** Chains whose order the two may have otherwise. */
const chains = (text: string): string[] =>
  text
    .split(/\n(?=Chain )/)
    .map((chain) => chain.trimEnd())
    .sort();

describe.skipIf(!hasIptables)("iptables -nvL is what the real tool prints of the same rules", () => {
  it.each(["nat", "filter"])("kube-proxy 1.7, docker and flannel: table %s", async (table) => {
    const session = tutorialSession();
    await ok(session, "ssh srv-k8s-node2");
    const saved = await ok(session, "iptables-save");
    expect(chains(await ok(session, `iptables -nvL -t ${table}`))).toEqual(chains(realList(saved, table)));
  });

  it.each(["nat", "filter", "mangle"])("kube-proxy 1.32 and rules of one's own: table %s", async (table) => {
    const session = sessionIn(bareCluster(1));
    await ok(session, "ssh node1");
    await ok(session, "kubectl run web --image=nginx --port=80 --replicas=2");
    await ok(
      session,
      "kubectl expose deployment web --port=80 --type=NodePort --session-affinity=ClientIP; wait",
    );
    session.cluster.node("node1").netns.netfilter.load(MANY, { noflush: true });
    const saved = await ok(session, "iptables-save");
    expect(chains(await ok(session, `iptables -nvL -t ${table}`))).toEqual(chains(realList(saved, table)));
  });
});

it("counts packets and numbers rules", async () => {
  const session = sessionIn(bareCluster(1));
  await ok(session, "ssh node1; iptables -A INPUT -s 10.0.0.100/32 -p icmp -j ACCEPT");
  await ok(session, "ssh client ping -c 3 10.0.0.1");
  expect(await ok(session, "iptables -nvxL INPUT --line-numbers | grep icmp")).toMatch(
    /^\d+ +3 +252 ACCEPT +icmp -- {2}\* +\* +10\.0\.0\.100 +0\.0\.0\.0\/0 *\n$/,
  );
  await ok(session, "iptables -I FORWARD -j DROP");
  expect(await ok(session, "iptables -S FORWARD | head -2")).toBe("-P FORWARD ACCEPT\n-A FORWARD -j DROP\n");
});
