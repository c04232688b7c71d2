import type { Protocol } from "../service-port.ts";

/** `-m comment --comment "text"`: the quotes always stand, unlike around a bare Service port name. */
export function comment(text: string): string {
  return `-m comment --comment "${text}"`;
}

/** Match of a destination address and port, protocol module first. */
export function destination(protocol: Protocol, address: string, port: number): string {
  return `-m ${protocol} -p ${protocol} -d ${address} --dport ${port}`;
}

/** The line that creates a chain, or flushes it if it is there already. */
export function chainLine(chain: string): string {
  return `:${chain} - [0:0]`;
}
