import type { Clock } from "../clock.ts";
import type { BridgePort } from "./bridge.ts";

/** One entry of a bridge's forwarding database. */
export interface FdbEntry {
  readonly mac: number;
  /** The port behind which the address is; null for the bridge's own address. */
  port: BridgePort | null;
  /** The address is the bridge's or one of its ports' own: frames for it go up (BR_FDB_LOCAL). */
  readonly local: boolean;
  /** Never ages (BR_FDB_STATIC). */
  readonly permanent: boolean;
  updatedUs: number;
}

/** net/bridge/br_fdb.c: who is behind which port, learned and forgotten. */
export class Fdb {
  readonly entries = new Map<number, FdbEntry>();
  /** How long a learned address is believed, in microseconds (BR_DEFAULT_AGEING_TIME: 300 s). */
  ageingUs = 300_000_000;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** `br_fdb_find_rcu`, leaving out what has aged. */
  find(mac: number): FdbEntry | null {
    const entry = this.entries.get(mac);
    if (entry === undefined) return null;
    if (!entry.local && !entry.permanent && entry.updatedUs + this.ageingUs <= this.clock.nowUs) {
      this.clock.journal?.delete(this.entries, mac);
      this.entries.delete(mac);
      return null;
    }
    return entry;
  }

  /** `br_fdb_update`: the source address of a frame is behind the port by which it came. True when that is news. */
  learn(mac: number, port: BridgePort): boolean {
    const entry = this.entries.get(mac);
    const { journal } = this.clock;
    if (entry === undefined) {
      journal?.set(this.entries, mac);
      this.entries.set(mac, { mac, port, local: false, permanent: false, updatedUs: this.clock.nowUs });
      return true;
    }
    if (entry.local) return false;
    journal?.keep(entry);
    entry.updatedUs = this.clock.nowUs;
    if (entry.port === port) return false;
    entry.port = port;
    return true;
  }

  addLocal(mac: number, port: BridgePort | null): void {
    this.entries.set(mac, { mac, port, local: true, permanent: true, updatedUs: 0 });
  }

  /** `br_fdb_delete_by_port`: forgets what was learned behind a port; its own address only with `all`. */
  forgetPort(port: BridgePort, all: boolean): void {
    for (const [mac, entry] of this.entries)
      if (entry.port === port && (all || !entry.local)) this.entries.delete(mac);
  }
}
