import { describe, expect, it } from "vitest";
import { bareCluster, ok, sessionIn, type } from "./session.ts";

const DNS = `cat > dns.yaml <<EOF
apiVersion: v1
kind: ReplicationController
metadata: {name: dns}
spec:
  replicas: 2
  selector: {app: dns}
  template:
    metadata: {labels: {app: dns}}
    spec:
      containers: [{name: dns, image: example/dns, ports: [{containerPort: 53, protocol: UDP}]}]
---
apiVersion: v1
kind: Service
metadata: {name: dns}
spec:
  type: NodePort
  selector: {app: dns}
  ports: [{port: 53, protocol: UDP, nodePort: 30053}]
EOF
`;
const ASK = "ssh client nc -u -v -w 1 -p 40000 10.0.0.1 30053";

/** Two pods behind a Service; the client has a connection to the one that a scale-down to one pod will delete. */
async function beforeScaleDown(cleanup: boolean) {
  const session = sessionIn(bareCluster(1, `  kubeProxy: {conntrackCleanup: ${cleanup}}`));
  await ok(session, `${DNS}kubectl create -f dns.yaml; wait`);
  // the one that has been ready for less time: it was started last and has the higher address
  const addresses = await ok(
    session,
    "kubectl get pods -o wide --no-headers | grep -o '10[.][0-9.]*' | sort",
  );
  const doomed = addresses.split("\n")[1];
  for (let tries = 0; tries < 20; tries++) {
    await ok(session, ASK);
    const entry = await ok(session, "ssh node1 conntrack -L -p udp --dport 30053 2> /dev/null");
    if (entry.includes(`src=${doomed} `)) return session;
    await ok(session, "ssh node1 conntrack -D -p udp 2> /dev/null");
  }
  throw new Error("chance never chose the second pod");
}

describe("UDP after a scale-down, from the same source port", () => {
  it("reaches the pod that is left: kube-proxy has deleted the stale entry", async () => {
    const session = await beforeScaleDown(true);
    await ok(session, "kubectl scale --replicas=1 rc dns; sleep 5");
    expect((await type(session, ASK)).text).toContain("answered by 10.0.0.1:30053");
  });

  it("disappears without the clean-up, as long as the client goes on asking", async () => {
    const session = await beforeScaleDown(false);
    await ok(session, "kubectl scale --replicas=1 rc dns; sleep 5");
    for (let asked = 0; asked < 10; asked++) {
      // at first nothing at all; once the node no longer finds who has the pod's address it says so
      const { text, code } = await type(session, ASK);
      expect(code).toBe(1);
      expect(text).toMatch(asked === 0 ? /no answer came/ : /no answer came|No route to host/);
      await ok(session, "sleep 20");
    }
  });

  it("reaches the pod that is left once the entry has timed out", async () => {
    const session = await beforeScaleDown(false);
    await ok(session, "kubectl scale --replicas=1 rc dns; sleep 5");
    expect((await type(session, ASK)).code).toBe(1);
    await ok(session, "sleep 181");
    expect((await type(session, ASK)).text).toContain("answered by 10.0.0.1:30053");
  });
});
