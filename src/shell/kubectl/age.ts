/** Times in kubectl's words. */
import { secondsOf } from "../../cluster/controllers/moment.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY_HOURS = 24;

/** `shortHumanDuration` of that many seconds: `16s`, `7m`, `3h`, `2d`, `1y`. */
export function duration(seconds: number): string {
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < MINUTE) return `${Math.floor(seconds)}s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  const hours = Math.floor(seconds / HOUR);
  if (hours < DAY_HOURS) return `${hours}h`;
  if (hours < DAY_HOURS * 364) return `${Math.floor(hours / DAY_HOURS)}d`;
  return `${Math.floor(hours / DAY_HOURS / 365)}y`;
}

/** How long ago something was written, or `<unknown>`. */
export function ageOf(timestamp: string | undefined, now: number): string {
  const then = secondsOf(timestamp);
  return then === null ? "<unknown>" : duration(now - then);
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** The tutorial's machines stand in a zone five hours behind UTC. */
const ZONE_HOURS = -5;

/** RFC 1123 with the zone as a number: `Tue, 07 Nov 2017 08:14:31 -0500`. */
export function longTime(timestamp: string | undefined): string {
  const seconds = secondsOf(timestamp);
  if (seconds === null) return "<unknown>";
  const local = new Date((seconds + ZONE_HOURS * HOUR) * 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  const clock = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map(two).join(":");
  const day = `${DAYS[local.getUTCDay()]}, ${two(local.getUTCDate())} ${MONTHS[local.getUTCMonth()]}`;
  return `${day} ${local.getUTCFullYear()} ${clock} -${two(-ZONE_HOURS)}00`;
}
