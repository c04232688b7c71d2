/** The field types Kubernetes and podpath objects are made of, with the words for what is wrong with a value. */
import { z } from "zod";
import { isAddress, isBlock, isIPv6 } from "./address.ts";
import { didYouMean } from "./nearest.ts";

/** A value as it is quoted in a message: text in quotes, collections by their kind, long text cut. */
export function show(value: unknown): string {
  if (typeof value === "string") return value.length > 60 ? `"${value.slice(0, 57)}..."` : `"${value}"`;
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  return String(value);
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number) {
  return z
    .number()
    .refine((n) => Number.isInteger(n) && n >= min && n <= max, {
      error: ({ input }) =>
        Number.isInteger(input)
          ? `${String(input)} is outside ${min}-${max}`
          : `${String(input)} is not a whole number`,
    })
    .meta({ type: "integer", minimum: min, maximum: max });
}

/** A port number, 1 to 65535. */
export const port = () => integer(1, 65535);

/** What {@link isAddress} takes, for a JSON Schema: what an editor can check while the user types. */
const OCTET_PATTERN = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ADDRESS_PATTERN = `${OCTET_PATTERN}(\\.${OCTET_PATTERN}){3}`;

/** An IPv4 address. */
export const address = () =>
  z
    .string()
    .refine(isAddress, { error: ({ input }) => `${show(input)} is not an IPv4 address` })
    .meta({ pattern: `^${ADDRESS_PATTERN}$` });

/** An IPv4 block `ADDRESS/LENGTH`. */
export const block = () =>
  z
    .string()
    .refine(isBlock, { error: ({ input }) => `${show(input)} is not an IPv4 block (ADDRESS/LENGTH)` })
    .meta({ pattern: `^${ADDRESS_PATTERN}/(3[0-2]|[12]?\\d)$` });

/** An address of either family. */
export const anyAddress = () =>
  z.string().refine((text) => isAddress(text) || isIPv6(text), {
    error: ({ input }) => `${show(input)} is not an IPv4 address`,
  });

/** A block of either family. Blanks around it are nothing (`service.GetLoadBalancerSourceRanges` trims them). */
export const anyBlock = () =>
  z.string().refine((text) => isBlock(text.trim()) || isIPv6(text.trim()), {
    error: ({ input }) => `${show(input)} is not an IPv4 block (ADDRESS/LENGTH)`,
  });

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, {
    error: ({ input }) => {
      if (input === undefined) return "is missing";
      if (typeof input === "number" && values.includes(String(input)))
        return `${input} is a number: write "${input}" in quotes`;
      const hint = typeof input === "string" ? didYouMean(input, values) : "";
      return `${show(input)} is not one of ${values.map((value) => (value === "" ? '""' : value)).join(", ")}${hint}`;
    },
  });
}

/** A transport protocol. */
export const protocol = () => oneOf(["TCP", "UDP", "SCTP"]);

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** A DNS-1123 label: names of namespaces, containers, Services, ports of Services. */
export const dnsLabel = () => labelThat((text) => LABEL.test(text)).meta({ pattern: LABEL.source });

/** The same, or "" where that stands for absent. */
export const dnsLabelOrEmpty = () => labelThat((text) => text === "" || LABEL.test(text));

const labelThat = (isRight: (text: string) => boolean) =>
  z.string().refine(isRight, {
    error: ({ input }) => `${show(input)} is not a DNS-1123 label (a-z, 0-9, "-", at most 63)`,
  });

const SUBDOMAIN = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/** A DNS-1123 subdomain: names of most objects. */
export const dnsSubdomain = () =>
  z
    .string()
    .refine(
      (text) =>
        text.length <= 253 && text.split(".").every((part) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(part)),
      {
        error: ({ input }) => `${show(input)} is not a DNS-1123 name (a-z, 0-9, "-", ".")`,
      },
    )
    .meta({ maxLength: 253, pattern: SUBDOMAIN });

/** An IANA service name, what names a port: at most 15 of a-z, 0-9 and "-", one letter at least. */
export function isPortName(text: string): boolean {
  return text.length <= 15 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text) && /[a-z]/.test(text);
}

/** A number or the name of a container's port (`intstr.IntOrString`). 0 and "" stand for absent. */
export const portOrName = () =>
  z.unknown().superRefine((value, context) => {
    const text = portOrNameFault(value);
    if (text !== null) context.addIssue({ code: "custom", message: text });
  });

function portOrNameFault(value: unknown): string | null {
  if (typeof value === "number") {
    if (!Number.isInteger(value)) return `${value} is not a whole number`;
    return value >= 0 && value <= 65535 ? null : `${value} is outside 1-65535`;
  }
  if (typeof value !== "string") return `expected a port number or name, got ${show(value)}`;
  if (value === "" || isPortName(value)) return null;
  return /^\d+$/.test(value)
    ? `${show(value)} is a string: write ${value} without quotes`
    : `${show(value)} is not a port name (a-z, 0-9, "-", at most 15, one letter at least)`;
}

/** Text to text: labels, annotations, selectors, data. */
export const stringMap = () => z.record(z.string(), z.string());

/** Metadata of an object that must have a name. */
export const metadata = (name: z.ZodType<string> = dnsSubdomain()) =>
  z.looseObject({
    name,
    namespace: dnsLabel().optional(),
    labels: stringMap().optional(),
    annotations: stringMap().optional(),
    deletionTimestamp: z.string().optional(),
    ownerReferences: z
      .array(z.looseObject({ kind: z.string(), name: z.string(), controller: z.boolean().optional() }))
      .optional(),
  });

/** `metav1.LabelSelector`. */
export const labelSelector = () =>
  z.looseObject({
    matchLabels: stringMap().optional(),
    matchExpressions: z
      .array(
        z.looseObject({
          key: z.string(),
          operator: oneOf(["In", "NotIn", "Exists", "DoesNotExist"]),
          values: z.array(z.string()).optional(),
        }),
      )
      .optional(),
  });
