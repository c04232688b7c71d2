/** ConfigMap (v1). Of interest is `kube-flannel-cfg`, whose `net-conf.json` is flannel's configuration. */
import type { ConfigMap } from "kubernetes-types/core/v1.js";
import { z } from "zod";
import { metadata, stringMap } from "./field.ts";

export const configMapSchema = z.looseObject({ metadata: metadata(), data: stringMap().optional() });

/** Where flannel's manifest puts its configuration (`Documentation/kube-flannel.yml`). */
const FLANNEL_CONFIG_MAP = "kube-flannel-cfg";
export const NET_CONF = "net-conf.json";

/** The text of flannel's configuration, when this ConfigMap holds it. */
export function netConfOf(configMap: ConfigMap): string | null {
  return configMap.metadata?.name === FLANNEL_CONFIG_MAP ? (configMap.data?.[NET_CONF] ?? null) : null;
}
