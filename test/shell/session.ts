/** Sessions for tests: in the tutorial's cluster, or in one given as YAML. */
import { COMMANDS } from "../../src/shell/commands.ts";
import { ControlPlane, type ControlPlaneOptions } from "../../src/shell/control/control-plane.ts";
import { Session } from "../../src/shell/session/session.ts";
import { loadTopology } from "../../src/topology/load/load.ts";
import { builtInTopology, readSources } from "../../src/topology/load/source.ts";

interface Options extends ControlPlaneOptions {
  folder?: string;
  edit?: (text: string) => string;
  namespace?: string;
}

function sessionOf(
  model: ReturnType<typeof loadTopology>["model"],
  { folder, edit, namespace, ...plane }: Options,
): Session {
  return new Session(new ControlPlane(model, plane), {
    commands: COMMANDS,
    folder: folder ?? "/nonexistent",
    ...(edit === undefined ? {} : { edit }),
    ...(namespace === undefined ? {} : { namespace }),
  });
}

/** In topologies/tutorial.yaml, namespace new-namespace. */
export function tutorialSession(options: Options = {}): Session {
  const { model } = loadTopology(readSources([builtInTopology("tutorial")]));
  return sessionOf(model, { namespace: "new-namespace", ...options });
}

/** In a cluster of that YAML. */
export const sessionIn = (yaml: string, options: Options = {}): Session =>
  sessionOf(loadTopology([{ file: "test.yaml", text: yaml }]).model, options);

/** A master and some nodes without anything on them: node1 is 10.0.0.1 with 10.244.1.0/24, and so on. */
export function bareCluster(nodes = 2, cluster = ""): string {
  const parts = [
    `apiVersion: podpath.dev/v1alpha1
kind: Cluster
metadata: {name: test}
spec:
  serviceCIDR: 10.96.0.0/16
  flannel: {Network: 10.244.0.0/16, Backend: {Type: udp}}
  segments: [{name: lan, subnet: 10.0.0.0/24}]
${cluster}
`,
    "apiVersion: podpath.dev/v1alpha1\nkind: Host\nmetadata: {name: client}\nspec: {address: 10.0.0.100/24}\n",
  ];
  for (let i = 1; i <= nodes; i++)
    parts.push(`apiVersion: v1
kind: Node
metadata: {name: node${i}, labels: {kubernetes.io/hostname: node${i}}}
spec: {podCIDR: 10.244.${i}.0/24}
status: {addresses: [{type: InternalIP, address: 10.0.0.${i}}]}
`);
  return parts.join("---\n");
}

/** What commands print, errors in line with the rest; the exit code of the last one. */
export async function type(session: Session, text: string): Promise<{ text: string; code: number }> {
  let printed = "";
  const write = (part: string) => {
    printed += part;
  };
  const code = await session.execute(text, { stdin: "", out: write, err: write });
  return { text: printed, code };
}

/** What commands that go well print. Throws Error for one that does not. */
export async function ok(session: Session, text: string): Promise<string> {
  const result = await type(session, text);
  if (result.code !== 0) throw new Error(`${text}: code ${result.code}: ${result.text}`);
  return result.text;
}
