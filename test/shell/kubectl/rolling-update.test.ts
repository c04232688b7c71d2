import { describe, expect, it } from "vitest";
import type { Session } from "../../../src/shell/session/session.ts";
import { bareCluster, ok, sessionIn, type } from "../session.ts";

async function controllerOf3(): Promise<Session> {
  const session = sessionIn(bareCluster(2));
  await ok(session, "kubectl run web --image=nginx --generator=run/v1 --replicas=3; wait");
  return session;
}

/** The hash that stands in names is replaced by HASH. */
const readable = (text: string): string => text.replace(/[0-9a-f]{32}/g, "HASH");

describe("kubectl rolling-update", () => {
  it("goes up and down by one and says so; the controller keeps its name, pods get the deployment label", async () => {
    const session = await controllerOf3();
    const begin = session.plane.now;
    expect(readable(await ok(session, "kubectl rolling-update web --image=httpd"))).toBe(
      [
        "Created web-HASH",
        "Scaling up web-HASH from 0 to 3, scaling down web from 3 to 0 (keep 3 pods available, don't exceed 4 pods)",
        "Scaling web-HASH up to 1",
        "Scaling web down to 2",
        "Scaling web-HASH up to 2",
        "Scaling web down to 1",
        "Scaling web-HASH up to 3",
        "Scaling web down to 0",
        "Update succeeded. Deleting old controller: web",
        "Renaming web to web-HASH",
        'replicationcontroller "web" rolling updated',
        "",
      ].join("\n"),
    );
    expect(session.plane.now - begin).toBe(180);
    expect(readable(await ok(session, "kubectl get rc -o wide --no-headers"))).toMatch(
      /^web +3 +3 +3 +\S+ +web +httpd +deployment=HASH,run=web\n$/,
    );
    await ok(session, "sleep 10");
    const pods = readable(await ok(session, "kubectl get pods --show-labels --no-headers"));
    expect(pods.trim().split("\n")).toHaveLength(3);
    expect(pods).toMatch(/^(web-HASH-\w{5} +1\/1 +Running +0 +\dm +deployment=HASH,run=web\n){3}$/);
  });

  it("to another name leaves that", async () => {
    const session = await controllerOf3();
    const printed = await ok(session, "kubectl rolling-update web web2 --image=httpd --update-period=10s");
    expect(printed).toContain(
      'Update succeeded. Deleting web\nreplicationcontroller "web" rolling updated to "web2"\n',
    );
    expect(await ok(session, "kubectl get rc -o name")).toBe("replicationcontroller/web2\n");
  });

  it("resumes what was interrupted; another image is refused", async () => {
    const session = await controllerOf3();
    expect((await type(session, "timeout 90 kubectl rolling-update web --image=httpd")).code).toBe(124);
    const refused = await type(session, "kubectl rolling-update web --image=other");
    expect(refused.text).toBe(
      "error: Found existing in-progress update to image (httpd).\n" +
        "Either continue in-progress update with --image=httpd or rollback with --rollback\n",
    );
    const printed = readable(await ok(session, "kubectl rolling-update web --image=httpd"));
    expect(printed).toContain(
      "Found existing update in progress (web-HASH), resuming.\nContinuing update with existing controller web-HASH.\n" +
        "Scaling up web-HASH from 2 to 3, scaling down web from 2 to 0 (keep 3 pods available, don't exceed 4 pods)\n",
    );
    expect(await ok(session, "kubectl get rc --no-headers")).toMatch(/^web +3 +3 +3/);
  });

  it("rolls back", async () => {
    const session = await controllerOf3();
    await type(session, "timeout 90 kubectl rolling-update web --image=httpd");
    const printed = readable(await ok(session, "kubectl rolling-update web --rollback"));
    expect(printed).toContain(
      'Setting "web" replicas to 3\nContinuing update with existing controller web.\n',
    );
    expect(printed).toContain("Update succeeded. Deleting web-HASH\n");
    expect(await ok(session, "kubectl get rc -o wide --no-headers")).toMatch(
      /^web +3 +3 +3 +\S+ +web +nginx/,
    );
  });

  it("gives up when new pods never become ready, and the old ones still serve", async () => {
    const session = await controllerOf3();
    await ok(
      session,
      `cat > v2.yaml <<EOF
apiVersion: v1
kind: ReplicationController
metadata: {name: v2}
spec:
  replicas: 3
  selector: {run: v2}
  template:
    metadata: {labels: {run: v2}}
    spec:
      containers:
      - {name: web, image: httpd, ports: [{containerPort: 80}], readinessProbe: {httpGet: {path: /, port: 99}}}
EOF
`,
    );
    const { text, code } = await type(session, "kubectl rolling-update web -f v2.yaml");
    expect(code).toBe(1);
    expect(text).toContain("error: timed out waiting for any update progress to be made");
    expect(await ok(session, "kubectl get rc web --no-headers")).toMatch(/^web +3 +3 +3/);
  });

  it("leaves everything as it was where there is nothing to update", async () => {
    const session = sessionIn(bareCluster(1));
    await ok(session, "kubectl run none --image=nginx --generator=run/v1 --replicas=0");
    expect(readable(await ok(session, "kubectl rolling-update none --image=httpd"))).toContain(
      "Scaling up none-HASH from 0 to 0, scaling down none from 0 to 0 (keep 0 pods available, don't exceed 1 pods)\n",
    );
  });
});
