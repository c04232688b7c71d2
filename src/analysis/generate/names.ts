import type { Chooser } from "../../linux/chooser.ts";

/** What a Service does: its name's second half, its port, the image behind it. */
export interface Role {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number;
  readonly protocol: "TCP" | "UDP";
  readonly image: string;
}

const role = (
  name: string,
  port: number,
  targetPort: number,
  image: string,
  protocol: Role["protocol"] = "TCP",
): Role => ({ name, port, targetPort, protocol, image });

const ROLES: readonly Role[] = [
  role("api", 80, 8080, "registry.local/api:1.14"),
  role("web", 80, 8080, "nginx:1.27"),
  role("worker", 9000, 9000, "registry.local/worker:1.14"),
  role("cache", 6379, 6379, "redis:7.4"),
  role("db", 5432, 5432, "postgres:16"),
  role("search", 9200, 9200, "opensearch:2.17"),
  role("queue", 5672, 5672, "rabbitmq:4.0"),
  role("gateway", 443, 8443, "envoyproxy/envoy:v1.31"),
  role("events", 9092, 9092, "apache/kafka:3.8"),
  role("metrics", 9090, 9090, "prom/prometheus:v2.54"),
  role("resolver", 53, 53, "coredns/coredns:1.11", "UDP"),
  role("sessions", 11211, 11211, "memcached:1.6"),
];

const DOMAINS = [
  "accounts",
  "alerts",
  "basket",
  "billing",
  "catalog",
  "checkout",
  "coupons",
  "customers",
  "delivery",
  "devices",
  "documents",
  "exports",
  "feedback",
  "fraud",
  "gifts",
  "identity",
  "images",
  "imports",
  "inventory",
  "invoices",
  "ledger",
  "loyalty",
  "mailer",
  "media",
  "messages",
  "notifications",
  "offers",
  "orders",
  "partners",
  "payments",
  "permissions",
  "pricing",
  "profiles",
  "promotions",
  "quotes",
  "ratings",
  "refunds",
  "reports",
  "returns",
  "reviews",
  "rewards",
  "routes",
  "shipping",
  "stock",
  "suggestions",
  "suppliers",
  "taxes",
  "tickets",
  "tracking",
  "users",
  "vouchers",
  "warehouse",
  "wishlist",
] as const;

const TEAMS = [
  "shop",
  "platform",
  "data",
  "finance",
  "logistics",
  "growth",
  "mobile",
  "support",
  "risk",
  "content",
  "search",
  "partners",
] as const;

/** How many Services a namespace has, as teams have it. */
const SERVICES_A_NAMESPACE = 25;

/** A Service's place and name. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
  readonly role: Role;
}

/** The name of Service number `i`: no two are equal. */
export function serviceName(i: number): ServiceName {
  const block = Math.floor(i / SERVICES_A_NAMESPACE);
  const round = Math.floor(block / TEAMS.length);
  const team = TEAMS[block % TEAMS.length]!;
  const domain = DOMAINS[(i * 7) % DOMAINS.length]!;
  // 7 and the number of domains have no common divisor, so within a namespace no domain comes twice
  const role = ROLES[(i * 5 + round) % ROLES.length]!;
  return { namespace: round === 0 ? team : `${team}-${round + 1}`, name: `${domain}-${role.name}`, role };
}

/** The namespace of the `i`-th client pod. */
export const clientNamespace = (i: number): string => TEAMS[i % TEAMS.length]!;

/** Letters and digits of generated names (apimachinery/pkg/util/rand). */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIXES = ALPHABET.length ** 5;
/** Has no divisor in common with 27^5, so that counting with it comes round only after all suffixes. */
const STRIDE = 9_387_739;

function letters(value: number, length: number): string {
  let text = "";
  for (let rest = value, i = 0; i < length; i++) {
    text += ALPHABET[rest % ALPHABET.length];
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}

/** Names of a workload's pods, as a Deployment's are: `orders-api-7d9f8c6b54-x2x4z`. No two are equal. */
export function podNames(workload: string, chooser: Chooser): (i: number) => string {
  const hash = letters(chooser.pick(SUFFIXES, "id"), 5) + letters(chooser.pick(SUFFIXES, "id"), 5);
  const first = chooser.pick(SUFFIXES, "id");
  return (i) => `${workload}-${hash}-${letters((first + i * STRIDE) % SUFFIXES, 5)}`;
}
