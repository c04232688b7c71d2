/** The API server's answers over HTTP: which resources there are, and lists of them. */
import { type KubernetesObject, namespaceOf } from "../../cluster/objects/store.ts";
import { RESOURCES, type Resource } from "../kubectl/resource.ts";
import type { Session } from "../session/session.ts";

/** Resources of a group and version, as `/apis/GROUP/VERSION` lists them. */
function resourceList(groupVersion: string): object {
  const resources = RESOURCES.filter(({ apiVersion }) => apiVersion === groupVersion)
    .map(({ plural, namespaced, kind }) => ({ name: plural, namespaced, kind }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { kind: "APIResourceList", groupVersion, resources };
}

const PATHS = [
  "/api",
  "/api/v1",
  "/apis",
  "/apis/extensions",
  "/apis/extensions/v1beta1",
  "/healthz",
  "/version",
];

/** The answer to a GET; 404 for a path that is not known here. */
export function apiAnswer(session: Session, path: string): { code: number; body: string } {
  const [bare = ""] = path.split("?");
  const text = (value: object) => ({ code: 200, body: `${JSON.stringify(value, null, 2)}\n` });
  if (bare === "/" || bare === "") return text({ paths: PATHS });
  if (bare === "/healthz") return { code: 200, body: "ok" };
  if (bare === "/version")
    return text({ major: "1", minor: "5", gitVersion: "v1.5.2", platform: "linux/amd64" });
  const match =
    /^\/(?:api|apis\/([^/]+))\/(v[^/]+)(?:\/namespaces\/([^/]+))?(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(bare);
  if (match === null) return missing();
  const [, group, version, namespace, plural, name] = match;
  const groupVersion = group === undefined ? version! : `${group}/${version}`;
  if (plural === undefined && namespace === undefined) return text(resourceList(groupVersion));
  const resource = RESOURCES.find((one) => one.plural === plural);
  if (resource === undefined) return missing();
  const objects = objectsOf(session, resource, namespace);
  if (name === undefined)
    return text({ kind: `${resource.kind}List`, apiVersion: groupVersion, metadata: {}, items: objects });
  const found = objects.find(({ metadata }) => metadata?.name === name);
  return found === undefined ? missing() : text(found);
}

const missing = () => ({
  code: 404,
  body: `${JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404 }, null, 2)}\n`,
});

function objectsOf(session: Session, { store }: Resource, namespace: string | undefined): KubernetesObject[] {
  const map = session.plane.store[store] as ReadonlyMap<string, KubernetesObject>;
  return [...map.values()].filter((one) => namespace === undefined || namespaceOf(one) === namespace);
}
