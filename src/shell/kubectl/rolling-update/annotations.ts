/** Marks by which a rolling update finds itself again (pkg/kubectl/rolling_updater.go). */
const PREFIX = "kubectl.kubernetes.io/";
/** On the new controller: `OLD:UID`. */
export const SOURCE_ID = `${PREFIX}update-source-id`;
/** On the new controller: how many replicas it shall have in the end. */
export const DESIRED_REPLICAS = `${PREFIX}desired-replicas`;
/** On the old controller: how many it had. */
export const ORIGINAL_REPLICAS = `${PREFIX}original-replicas`;
/** On the old controller: the name of the new one. */
export const NEXT_CONTROLLER_ID = `${PREFIX}next-controller-id`;
