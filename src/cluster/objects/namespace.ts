/** Namespace (v1): accepted, nothing of it is needed to know where packets go. */
import { z } from "zod";
import { dnsLabel, metadata } from "./field.ts";

export const namespaceSchema = z.looseObject({ metadata: metadata(dnsLabel()) });
