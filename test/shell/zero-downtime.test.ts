import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toNumber } from "../../src/cluster/objects/address.ts";
import type { Session } from "../../src/shell/session/session.ts";
import { requestsDuring } from "../../src/shell/tools/request-load.ts";
import { bareCluster, ok, sessionIn, type } from "./session.ts";

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

const atNode1 = (session: Session) => ({
  from: session.cluster.hosts.get("client")!,
  address: toNumber("10.0.0.1"),
  port: 30080,
});

describe("1,000 requests through the NodePort", () => {
  it("are all answered while a rolling update goes on", async () => {
    const session = await webCluster(3);
    const options = { ...atNode1(session), count: 1000, seconds: 250 };
    const outcome = await requestsDuring(session, options, async () => {
      await ok(session, "kubectl rolling-update web --image=httpd");
    });
    expect(outcome).toMatchObject({ sent: 1000, answered: 1000 });
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
      const options = { ...atNode1(session), count: 1000, seconds: 250 };
      const outcome = await requestsDuring(session, options, async () => {
        session.plane.advance(60);
        await ok(session, "kubectl delete rc web");
        session.plane.advance(10);
        await ok(session, `${controller(3, "httpd")}kubectl create -f rc.yaml || true`);
        session.plane.advance(60);
      });
      expect(outcome).toMatchObject({ sent: 1000, answered: 1000 - 4 * seconds });
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
          const outcome = await requestsDuring(
            session,
            { ...atNode1(session), count: 60, seconds },
            async () => {
              await ok(session, `kubectl rolling-update web --image=httpd --update-period=${period}s`);
            },
          );
          expect(outcome).toMatchObject({ sent: 60, answered: 60 });
        },
      ),
      { numRuns: 15 },
    );
  });
});

it("the shell's own command measures it", async () => {
  const session = await webCluster(2);
  await ok(session, "ssh client");
  const printed = await ok(
    session,
    "requests -n 100 -d 200 10.0.0.1:30080 -- kubectl rolling-update web --image=httpd | tail -1",
  );
  expect(printed).toBe("100 requests: 100 answered, 0 refused, 0 without an answer\n");
  const lossy = await type(session, "requests -n 100 -d 100 10.0.0.1:30080 -- kubectl delete rc web");
  expect(lossy).toEqual({
    text: 'replicationcontroller "web" deleted\n100 requests: 2 answered, 98 refused, 0 without an answer, from second 2.0 to 99.0\n',
    code: 1,
  });
});
