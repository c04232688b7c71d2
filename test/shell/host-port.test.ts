import { expect, it } from "vitest";
import { bareCluster, ok, sessionIn } from "./session.ts";

const pod = (name: string) => `kubectl create -f - <<EOF
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  containers: [{name: web, image: nginx, ports: [{containerPort: 80, hostPort: 80}]}]
EOF
`;
const MESSAGE = "No nodes are available that match all of the following predicates:: PodFitsHostPorts (1).";

it("the second pod that asks for port 80 of the only node stays Pending until the first has gone", async () => {
  const session = sessionIn(bareCluster(1));
  await ok(session, pod("first") + pod("second"));
  await ok(session, "sleep 60");
  expect(await ok(session, "kubectl get pods")).toBe(
    [
      "NAME      READY     STATUS    RESTARTS   AGE",
      "first     1/1       Running   0          1m",
      "second    0/1       Pending   0          1m",
      "",
    ].join("\n"),
  );
  const described = await ok(session, "kubectl describe pod second");
  expect(described).toContain(`{default-scheduler }\t\t\tWarning\t\tFailedScheduling\t${MESSAGE}`);
  expect(described.match(/FailedScheduling/g)).toHaveLength(1);
  expect(await ok(session, "ssh client curl -s -o /dev/null -w '%{http_code}' http://10.0.0.1")).toBe("200");
  await ok(session, "kubectl delete pod first; sleep 20");
  expect(await ok(session, "kubectl get pod second --no-headers")).toMatch(/^second +1\/1 +Running/);
  expect(await ok(session, "ssh client curl -s -o /dev/null -w '%{http_code}' http://10.0.0.1")).toBe("200");
});

it("with a second node both run", async () => {
  const session = sessionIn(bareCluster(2));
  await ok(session, `${pod("first")}${pod("second")}wait`);
  expect(await ok(session, "kubectl get pods -o wide --no-headers | grep -c node[12]")).toBe("2\n");
});
