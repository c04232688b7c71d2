/** Packets to bytes and back; for normal forms the two are inverses. */

export { type DecodeOptions, decodeFrame, decodeIp } from "./decode.ts";
export { encodeFrame, encodeIp } from "./encode.ts";
export { DecodeError } from "./extent.ts";
export { encapsulatedLength, frameLength, type TunnelPorts } from "./tunnel.ts";
