import { type Direction, IP_CT_DIR_ORIGINAL, IP_CT_DIR_REPLY, IP_CT_ESTABLISHED_REPLY } from "./entry.ts";

/** CTINFO2DIR: in which direction of its connection does a packet go? */
export const directionOf = (ctinfo: number): Direction =>
  ctinfo >= IP_CT_ESTABLISHED_REPLY ? IP_CT_DIR_REPLY : IP_CT_DIR_ORIGINAL;
