import { describe, expect, it } from "vitest";
import { toNumber } from "../../src/cluster/objects/address.ts";
import type { TcpConnection } from "../../src/linux/socket/tcp-connection.ts";
import type { Session } from "../../src/shell/session/session.ts";
import { bareCluster, ok, sessionIn } from "./session.ts";

const WEB = `cat > web.yaml <<EOF
apiVersion: v1
kind: ReplicationController
metadata: {name: web}
spec:
  replicas: 2
  selector: {app: web}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: nginx, readinessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 30}, ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
EOF
kubectl create -f web.yaml
`;

/** How many endpoints kube-proxy's rules have for the Service, node by node. */
const endpointsInRules = (session: Session): number[] =>
  [...session.cluster.nodes.values()].map(
    ({ netns }) => netns.netfilter.save().match(/-A KUBE-SVC-\w+ .*-j KUBE-SEP-/g)?.length ?? 0,
  );

describe("the rules of all nodes follow", () => {
  it("readiness, scaling and deletion, at the second in which it happens", async () => {
    const session = sessionIn(bareCluster(3));
    await ok(session, WEB);
    await ok(session, "sleep 35");
    expect(endpointsInRules(session)).toEqual([0, 0, 0]);
    await ok(session, "sleep 1");
    expect(endpointsInRules(session)).toEqual([2, 2, 2]);
    await ok(session, "kubectl scale --replicas=4 rc web; wait");
    expect(endpointsInRules(session)).toEqual([4, 4, 4]);
    await ok(session, "kubectl scale --replicas=1 rc web; sleep 2");
    expect(endpointsInRules(session)).toEqual([1, 1, 1]);
    await ok(session, "kubectl label pods --all app=other --overwrite");
    expect(endpointsInRules(session)).toEqual([0, 0, 0]);
    await ok(session, "kubectl delete svc web");
    expect(await ok(session, "ssh node1 iptables-save | grep -c default/web || true")).toBe("0\n");
  });
});

describe("a connection that stands", () => {
  const connect = (session: Session): TcpConnection => {
    const client = session.cluster.hosts.get("client")!;
    const connection = client.sockets.tcp.connect({
      destination: toNumber("10.0.0.1"),
      destinationPort: 30080,
      sourcePort: 40000,
      requestBytes: 10,
    });
    session.cluster.network.settle();
    return connection as TcpConnection;
  };
  const ask = (session: Session, connection: TcpConnection): number => {
    const before = connection.bytesReceived;
    connection.write(10);
    session.cluster.network.settle();
    return connection.bytesReceived - before;
  };

  it("lives on its conntrack entry while pods come, and while others go", async () => {
    const session = sessionIn(bareCluster(2));
    await ok(session, WEB);
    await ok(session, "wait; sleep 40");
    const connection = connect(session);
    expect(connection.bytesReceived).toBeGreaterThan(0);
    await ok(session, "kubectl scale --replicas=5 rc web; wait; sleep 40");
    expect(ask(session, connection)).toBeGreaterThan(0);
    await ok(session, "kubectl delete svc web");
    expect(ask(session, connection)).toBeGreaterThan(0);
  });

  it("ends with its pod", async () => {
    const session = sessionIn(bareCluster(2));
    await ok(session, WEB);
    await ok(session, "wait; sleep 40");
    const connection = connect(session);
    await ok(session, "kubectl scale --replicas=0 rc web; sleep 1");
    expect(ask(session, connection)).toBeGreaterThan(0);
    await ok(session, "sleep 1");
    expect(ask(session, connection)).toBe(0);
  });
});
