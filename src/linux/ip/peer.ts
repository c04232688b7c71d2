import type { Clock } from "../clock.ts";

/** What is remembered of another host, to limit what is sent to it: `struct inet_peer`. */
interface Peer {
  /** Microseconds of credit. */
  tokensUs: number;
  /** When one was last sent, or asked for: one clock for errors and redirects (`rate_last`). */
  lastUs: number;
  redirects: number;
}

const MINUTE_US = 60_000_000;
/** XRLIM_BURST_FACTOR (net/ipv4/icmp.c) */
const BURST_FACTOR = 6;
/** ip_rt_error_cost, ip_rt_error_burst (net/ipv4/route.c) */
const ERROR_COST_US = 1_000_000;
const ERROR_BURST_US = 5_000_000;
/** ip_rt_redirect_number, ip_rt_redirect_load, ip_rt_redirect_silence (net/ipv4/route.c) */
const REDIRECT_NUMBER = 9;
const REDIRECT_LOAD_US = 20_000;
const REDIRECT_SILENCE_US = REDIRECT_LOAD_US << (REDIRECT_NUMBER + 1);

/** The peers of a namespace (net/ipv4/inetpeer.c): the token buckets of ICMP errors and redirects. */
export class PeerTable {
  private readonly clock: Clock;
  private readonly peers = new Map<number, Peer>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** What is remembered of an address, to be changed. */
  private peer(address: number): Peer {
    let peer = this.peers.get(address);
    const { journal } = this.clock;
    if (peer === undefined) {
      journal?.set(this.peers, address);
      peer = { tokensUs: 0, lastUs: this.clock.nowUs - MINUTE_US, redirects: 0 };
      this.peers.set(address, peer);
    } else journal?.keep(peer);
    return peer;
  }

  /** `inet_peer_xrlim_allow`: may one more ICMP error go to that address? `ratelimitMs` is net.ipv4.icmp_ratelimit. */
  allowError(address: number, ratelimitMs: number): boolean {
    const peer = this.peer(address);
    const timeoutUs = ratelimitMs * 1000;
    const now = this.clock.nowUs;
    // what was left a moment ago is not cut down to the burst, even when the burst is nothing
    let tokens = peer.tokensUs;
    if (now !== peer.lastUs) tokens = Math.min(tokens + now - peer.lastUs, BURST_FACTOR * timeoutUs);
    peer.lastUs = now;
    const allowed = tokens >= timeoutUs;
    if (allowed) tokens -= timeoutUs;
    peer.tokensUs = tokens;
    return allowed;
  }

  /** The bucket of `ip_error`: a router complains of missing routes only so often. */
  allowRouteError(address: number): boolean {
    const peer = this.peer(address);
    const now = this.clock.nowUs;
    peer.tokensUs = Math.min(peer.tokensUs + now - peer.lastUs, ERROR_BURST_US);
    peer.lastUs = now;
    if (peer.tokensUs < ERROR_COST_US) return false;
    peer.tokensUs -= ERROR_COST_US;
    return true;
  }

  /**
   * `ip_rt_send_redirect`'s limit: ever more rarely, then not at all until there was silence. It spends what errors to
   * the same address had saved up.
   */
  allowRedirect(address: number): boolean {
    const peer = this.peer(address);
    const now = this.clock.nowUs;
    if (now > peer.lastUs + REDIRECT_SILENCE_US) {
      peer.tokensUs = 0;
      peer.redirects = 0;
    }
    if (peer.redirects >= REDIRECT_NUMBER) {
      peer.lastUs = now;
      return false;
    }
    if (peer.redirects !== 0 && now <= peer.lastUs + REDIRECT_LOAD_US * 2 ** peer.redirects) return false;
    peer.lastUs = now;
    peer.redirects++;
    return true;
  }
}
