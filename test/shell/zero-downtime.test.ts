import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requestsDuring } from "./client.ts";
import { bareCluster, ok, sessionIn } from "./session.ts";

const controller = (replicas: number, image = "nginx") => `cat > rc.yaml <<EOF
apiVersion: v1
kind: ReplicationController
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {app: web}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: ${image}, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, nodePort: 30080}]
EOF
`;

async function webCluster(replicas: number, nodes = 2, cluster = "") {
  const session = sessionIn(bareCluster(nodes, cluster));
  await ok(session, `${controller(replicas)}kubectl create -f rc.yaml; wait`);
  return session;
}

const AT_NODE_1 = { from: "client", address: "10.0.0.1", port: 30080 };

describe("1,000 requests through the NodePort", () => {
  it("are all answered while a rolling update goes on", async () => {
    const session = await webCluster(3);
    const options = { ...AT_NODE_1, count: 1000, seconds: 250 };
    const outcome = await requestsDuring(session, options, async () => {
      await ok(session, "kubectl rolling-update web --image=httpd");
    });
    expect(outcome).toEqual({ sent: 1000, lost: 0 });
    expect(await ok(session, "ssh client curl -I http://10.0.0.1:30080")).toContain("Apache");
  });

  // 10 seconds without a controller, 6 until the first new pod runs; since 1.26 kube-proxy sends what would find nobody
  // to pods that are on their way out, for the 2 seconds that they take
  it.each([
    ["1.7", 16],
    ["1.32", 14],
  ])(
    "are lost while no pod is there: old ones deleted, then new ones made (rules of %s)",
    async (version, seconds) => {
      const session = await webCluster(3, 2, `  kubeProxy: {version: "${version}"}`);
      const options = { ...AT_NODE_1, count: 1000, seconds: 250 };
      const outcome = await requestsDuring(session, options, async () => {
        session.plane.advance(60);
        await ok(session, "kubectl delete rc web");
        session.plane.advance(10);
        await ok(session, `${controller(3, "httpd")}kubectl create -f rc.yaml || true`);
        session.plane.advance(60);
      });
      expect(outcome).toEqual({ sent: 1000, lost: 4 * seconds });
    },
  );
});

describe("a rolling update", () => {
  it("loses no request, whatever the replicas, the period and the nodes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 7, max: 90 }),
        fc.integer({ min: 1, max: 3 }),
        async (replicas, period, nodes) => {
          const session = await webCluster(replicas, nodes);
          const seconds = (replicas + 1) * period;
          const outcome = await requestsDuring(session, { ...AT_NODE_1, count: 60, seconds }, async () => {
            await ok(session, `kubectl rolling-update web --image=httpd --update-period=${period}s`);
          });
          expect(outcome).toEqual({ sent: 60, lost: 0 });
        },
      ),
      { numRuns: 15 },
    );
  });
});
