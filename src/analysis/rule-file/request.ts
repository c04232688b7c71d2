/** What is asked of a rule file: one packet, and the machine that the file does not tell of. */

export const RULE_PROTOCOLS = ["tcp", "udp", "icmp", "sctp"] as const;
export type RuleProtocol = (typeof RULE_PROTOCOLS)[number];

export const CONNECTION_STATES = ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** An address of the machine. Numbers are as in packets: unsigned 32-bit. */
export interface LocalAddress {
  readonly address: number;
  /** 32 when only the address is known. */
  readonly prefixLength: number;
  /** The device that has it; null for the one that the packet comes in by (or, made here, leaves by). */
  readonly device: string | null;
}

export interface RuleFileRequest {
  readonly protocol: RuleProtocol;
  readonly source: number;
  /** 0 for icmp. */
  readonly sourcePort: number;
  readonly destination: number;
  /** 0 for icmp. */
  readonly destinationPort: number;
  /** Null for a packet that is made on this machine. */
  readonly inDevice: string | null;
  /** Null when it is not known. */
  readonly outDevice: string | null;
  /** What connection tracking knows of the packet when it comes. */
  readonly state: ConnectionState;
  /** `skb->mark` that it comes with. */
  readonly mark: number;
  readonly localAddresses: readonly LocalAddress[];
}
