import { describe, expect, it } from "vitest";
import { bareCluster, ok, sessionIn, type } from "../session.ts";

const SETUP = `kubectl run rc --image=nginx --port=80 --generator=run/v1 --replicas=2 > /dev/null
kubectl expose rc rc --port=80 --name=svc > /dev/null
kubectl run pod --image=nginx --restart=Never > /dev/null
cat > job.yaml <<EOF
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec:
  template:
    spec: {containers: [{name: c, image: busybox, command: ["true"]}]}
EOF
cat > bad.yaml <<EOF
apiVersion: v1
kind: ReplicationController
metadata: {name: bad}
spec:
  replicas: many
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: c, image: nginx}]}
EOF
cat > mismatch.yaml <<EOF
apiVersion: v1
kind: ReplicationController
metadata: {name: mismatch}
spec:
  selector: {a: c}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: c, image: nginx}]}
EOF
cat > ingress.yaml <<EOF
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: i}
EOF
`;

const service = (spec: string) => `kubectl create -f - <<EOF
apiVersion: v1
kind: Service
metadata: {name: x}
spec: {ports: [{port: 80${spec.startsWith("node") ? `, ${spec}` : ""}}]${spec.startsWith("node") ? "" : `, ${spec}`}}
EOF
`;

async function prepared() {
  const session = sessionIn(bareCluster(1));
  await ok(session, SETUP);
  return session;
}

describe("what goes wrong is said in the words of 2017", () => {
  it.each([
    ["kubectl get pods nope", 'Error from server (NotFound): pods "nope" not found'],
    ["kubectl get deployment nope", 'Error from server (NotFound): deployments.extensions "nope" not found'],
    ["kubectl get things", 'error: the server doesn\'t have a resource type "things"'],
    ["kubectl get pods --nope", "Error: unknown flag: --nope"],
    ["kubectl nope", 'error: unknown command "nope" for "kubectl"'],
    ["kubectl scale --current-replicas=3 --replicas=4 rc rc", "error: Expected replicas to be 3, was 2"],
    ["kubectl scale --replicas=x rc rc", 'Error: invalid argument "x" for --replicas=x'],
    ["kubectl scale rc rc", "error: The --replicas=COUNT flag is required"],
    ["kubectl scale --replicas=1 svc svc", 'error: no scaler has been implemented for {"" "Service"}'],
    ["kubectl create -f missing.yaml", 'error: the path "missing.yaml" does not exist'],
    [
      "kubectl create -f bad.yaml",
      'error: error validating "bad.yaml": error validating data: ReplicationController/bad spec.replicas',
    ],
    [
      "kubectl create -f mismatch.yaml",
      'The ReplicationController "mismatch" is invalid: spec.template.metadata.labels: Invalid value',
    ],
    [
      "kubectl create -f job.yaml",
      'The Job "job" is invalid: spec.template.spec.restartPolicy: Unsupported value: "Always": supported values: OnFailure, Never',
    ],
    ["kubectl create -f ingress.yaml", 'error: unable to recognize "ingress.yaml"'],
    [
      "kubectl create namespace default",
      'Error from server (AlreadyExists): namespaces "default" already exists',
    ],
    [
      "kubectl run rc --image=nginx --generator=run/v1",
      'Error from server (AlreadyExists): replicationcontrollers "rc" already exists',
    ],
    [
      "kubectl run x --image=nginx -n nowhere",
      'Error from server (NotFound): namespaces "nowhere" not found',
    ],
    [
      "kubectl expose rc rc --port=80 --name=svc",
      'Error from server (AlreadyExists): services "svc" already exists',
    ],
    ["kubectl expose pod nope --port=80", 'Error from server (NotFound): pods "nope" not found'],
    [
      "kubectl label node node1 kubernetes.io/hostname=x",
      "error: 'kubernetes.io/hostname' already has a value (node1), and --overwrite is false",
    ],
    [
      "kubectl logs pod",
      'Error from server (BadRequest): container "pod" in pod "pod" is waiting to start: ContainerCreating',
    ],
    [
      "kubectl exec pod -- hostname",
      "error: cannot exec into a container in a pod that is not running; current phase is Pending",
    ],
    ["kubectl rolling-update rc", "error: Must specify --filename or --image for new controller"],
    [
      "kubectl rolling-update rc --image=httpd -f x.yaml",
      "error: --filename and --image can not both be specified",
    ],
    [
      "kubectl rolling-update rc --image=nginx",
      "error: --image-pull-policy (Always|Never|IfNotPresent) must be provided",
    ],
    ["kubectl rolling-update rc --image=httpd --container=x", "error: container x not found in pod"],
    ["kubectl rolling-update rc --rollback", "error: Could not find rc to rollback."],
    [
      "kubectl rolling-update nope --image=httpd",
      'Error from server (NotFound): replicationcontrollers "nope" not found',
    ],
    [
      "kubectl delete pods",
      "error: resource(s) were provided, but no name, label selector, or --all flag specified",
    ],
    [
      service("nodePort: 31000"),
      "The Service \"x\" is invalid: spec.ports[0].nodePort: Invalid value: 31000: may not be used when `type` is 'ClusterIP'",
    ],
    [
      service("nodePort: 80}], type: NodePort, x: [{y: 1"),
      "provided port is not in the valid range. The range of valid ports is 30000-32767",
    ],
    [
      service("clusterIP: 10.0.0.1"),
      'The Service "x" is invalid: spec.clusterIP: Invalid value: "10.0.0.1": provided IP is not in the valid range',
    ],
  ])("%s", async (command, message) => {
    const { text, code } = await type(await prepared(), command);
    expect(text).toContain(message);
    expect(code).not.toBe(0);
  });

  it("clashes of ClusterIPs and node ports are refused, and nothing is kept", async () => {
    const session = await prepared();
    const ip = (await ok(session, "kubectl get svc svc -o json | jq -r .spec.clusterIP")).trim();
    expect((await type(session, service(`clusterIP: ${ip}`))).text).toContain(
      "provided IP is already allocated",
    );
    await ok(session, "kubectl expose rc rc --port=80 --type=NodePort --name=np");
    const port = (await ok(session, "kubectl get svc np -o json | jq '.spec.ports[0].nodePort'")).trim();
    const clash = service(`nodePort: ${port}}], type: NodePort, x: [{y: 1`);
    expect((await type(session, clash)).text).toContain("provided port is already allocated");
    expect((await type(session, "kubectl get svc x")).code).toBe(1);
  });
});

describe("what goes well", () => {
  it.each([
    ["kubectl scale --replicas=3 rc rc", 'replicationcontroller "rc" scaled\n'],
    ["kubectl scale --replicas=3 rc/rc", 'replicationcontroller "rc" scaled\n'],
    ["kubectl label node node1 a=b", 'node "node1" labeled\n'],
    ["kubectl label node node1 kubernetes.io/hostname=node1", 'node "node1" not labeled\n'],
    ["kubectl annotate rc rc x=y", 'replicationcontroller "rc" annotated\n'],
    ["kubectl delete pod pod", 'pod "pod" deleted\n'],
    ["kubectl delete rc,svc --all", 'replicationcontroller "rc" deleted\nservice "svc" deleted\n'],
    ["kubectl cordon node1; kubectl uncordon node1", 'node "node1" cordoned\nnode "node1" uncordoned\n'],
    ["kubectl taint nodes node1 a=b:NoSchedule", 'node "node1" tainted\n'],
    ["kubectl edit rc rc", "Edit cancelled, no changes made.\n"],
    ["kubectl get rc -o name", "replicationcontroller/rc\n"],
    ["kubectl get pods -n kube-system", "No resources found.\n"],
    [
      "kubectl get ns",
      "NAME          STATUS    AGE\ndefault       Active    0s\nkube-system   Active    0s\n",
    ],
    ["kubectl get ep svc", "NAME      ENDPOINTS   AGE\nsvc       <none>      0s\n"],
    [
      "kubectl config set-context x --namespace=kube-system; kubectl get svc",
      'context "x" set.\nNo resources found.\n',
    ],
  ])("%s", async (command, printed) => {
    expect(await type(await prepared(), command)).toEqual({ text: printed, code: 0 });
  });

  it("edit writes what was saved", async () => {
    const session = sessionIn(bareCluster(1), { edit: (text) => text.replace("replicas: 2", "replicas: 5") });
    await ok(session, SETUP);
    expect(await ok(session, "kubectl edit rc rc")).toBe('replicationcontroller "rc" edited\n');
    expect(await ok(session, "kubectl get rc")).toContain("rc        5         5         0");
  });

  it("apply creates, then merges what has changed and takes out what is gone", async () => {
    const manifest = (spec: string) => `kubectl apply -f - <<EOF
apiVersion: v1
kind: Service
metadata: {name: s, labels: {a: b${spec === "" ? "" : ", c: d"}}}
spec: {selector: {a: b}, ports: [{port: 80}]${spec}}
EOF
`;
    const session = sessionIn(bareCluster(1));
    expect(await ok(session, manifest(", sessionAffinity: ClientIP"))).toBe('service "s" created\n');
    const ip = await ok(session, "kubectl get svc s -o json | jq -r .spec.clusterIP");
    expect(await ok(session, manifest(""))).toBe('service "s" configured\n');
    const now = await ok(
      session,
      "kubectl get svc s -o json | jq -c '[.metadata.labels, .spec.sessionAffinity, .spec.clusterIP]'",
    );
    expect(now).toBe(`[{"a":"b"},"None","${ip.trim()}"]\n`);
  });

  it("watch prints a line at each change", async () => {
    const session = await prepared();
    const printed = await ok(session, "kubectl get pods -w pod");
    expect(printed.split("\n").map((line) => line.replace(/ +/g, " "))).toEqual([
      "NAME READY STATUS RESTARTS AGE",
      "pod 0/1 ContainerCreating 0 0s",
      "pod 1/1 Running 0 18s",
      "",
    ]);
  });
});
