import { type Logger, pino } from "pino";
import type { Console } from "./console.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const DEFAULT_LOG_LEVEL: LogLevel = "warn";

/** A pino logger on standard error: JSON lines for programs, `level: message` for a terminal. */
export function createLog({ err, errIsTerminal }: Console, level: LogLevel): Logger {
  const write = errIsTerminal ? (record: string) => err(forPeople(record)) : err;
  return pino({ name: "podpath", level, base: { name: "podpath" } }, { write });
}

function forPeople(record: string): string {
  const { level, msg } = JSON.parse(record) as { level: number; msg: string };
  return `${pino.levels.labels[level] ?? level}: ${msg}\n`;
}
