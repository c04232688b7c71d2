/**
 * Writes packet captures in the pcapng format (draft-ietf-opsawg-pcapng): one section, big-endian, with an
 * interface block for every device and an enhanced packet block for every packet.
 */

const BLOCK_SECTION_HEADER = 0x0a0d0d0a;
const BLOCK_INTERFACE = 1;
const BLOCK_ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

const OPT_COMMENT = 1;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_DESCRIPTION = 3;
const IF_TSRESOL = 9;
const EPB_FLAGS = 2;

const LINK_TYPES = { ethernet: 1, raw: 101 } as const;
/** Low two bits of epb_flags. */
const DIRECTIONS = { in: 1, out: 2 } as const;
const TSRESOL_NANOSECONDS = 9;

/** A device that packets were seen on. */
export interface PcapngInterface {
  readonly name: string;
  readonly description: string;
  /** `raw`: packets begin with their IP header, as on a TUN device. */
  readonly linkType: keyof typeof LINK_TYPES;
  /** In bytes; pcapng has no field for it, so it is written as the interface's comment. */
  readonly mtu: number;
}

export interface PcapngPacketOptions {
  /** As the device sees it: `in` is received, `out` is sent. */
  readonly direction?: "in" | "out";
  readonly comment?: string;
}

/** Collects a capture in memory. */
export class PcapngWriter {
  #blocks: Uint8Array[] = [sectionHeader()];
  #interfaces = 0;

  /** Adds a device; the number returned is what {@link addPacket} wants. */
  addInterface(device: PcapngInterface): number {
    const fixed = new Uint8Array(8);
    new DataView(fixed.buffer).setUint16(0, LINK_TYPES[device.linkType]);
    this.#blocks.push(
      block(BLOCK_INTERFACE, [
        fixed,
        ...options([
          [IF_NAME, utf8(device.name)],
          [IF_DESCRIPTION, utf8(device.description)],
          [IF_TSRESOL, Uint8Array.of(TSRESOL_NANOSECONDS)],
          [OPT_COMMENT, utf8(`mtu ${device.mtu}`)],
        ]),
      ]),
    );
    return this.#interfaces++;
  }

  /**
   * Adds a packet seen on a device, whole.
   *
   * @param timeNs nanoseconds since the epoch of the capture's clock, not negative
   * @param bytes a frame on an `ethernet` interface, an IP packet on a `raw` one; copied
   * @throws RangeError when no such interface has been added
   */
  addPacket(
    interfaceId: number,
    timeNs: bigint,
    bytes: Uint8Array,
    { direction, comment }: PcapngPacketOptions = {},
  ): void {
    if (!Number.isInteger(interfaceId) || interfaceId < 0 || interfaceId >= this.#interfaces) {
      throw new RangeError(`no capture interface ${interfaceId}: ${this.#interfaces} have been added`);
    }
    const fixed = new Uint8Array(20);
    const view = new DataView(fixed.buffer);
    view.setUint32(0, interfaceId);
    view.setBigUint64(4, timeNs);
    view.setUint32(12, bytes.length);
    view.setUint32(16, bytes.length);

    const fields: [number, Uint8Array][] = [];
    if (direction !== undefined) fields.push([EPB_FLAGS, Uint8Array.of(0, 0, 0, DIRECTIONS[direction])]);
    if (comment !== undefined) fields.push([OPT_COMMENT, utf8(comment)]);
    this.#blocks.push(block(BLOCK_ENHANCED_PACKET, [fixed, padded(bytes), ...options(fields)]));
  }

  /** The capture as it stands; more may be added afterwards. */
  finish(): Uint8Array {
    return concatenate(this.#blocks);
  }

  /** What has been added since this was last called, for a capture that is written out piece by piece. */
  take(): Uint8Array {
    const bytes = this.finish();
    this.#blocks = [];
    return bytes;
  }
}

function sectionHeader(): Uint8Array {
  const fixed = new Uint8Array(16);
  const view = new DataView(fixed.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC);
  view.setUint16(4, 1); // version 1.0
  view.setBigInt64(8, -1n); // length of the section: not stated
  return block(BLOCK_SECTION_HEADER, [fixed, ...options([[SHB_USERAPPL, utf8("podpath")]])]);
}

function block(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const head = new Uint8Array(8);
  const tail = new Uint8Array(4);
  const length = parts.reduce((sum, part) => sum + part.length, head.length + tail.length);
  new DataView(head.buffer).setUint32(0, type);
  new DataView(head.buffer).setUint32(4, length);
  new DataView(tail.buffer).setUint32(0, length);
  return concatenate([head, ...parts, tail]);
}

/** Options of a block, with the end-of-options mark; nothing at all when there are none. */
function options(fields: readonly (readonly [code: number, value: Uint8Array])[]): Uint8Array[] {
  if (fields.length === 0) return [];
  const parts: Uint8Array[] = [];
  for (const [code, value] of fields) {
    if (value.length > 0xffff) throw new RangeError(`a pcapng option of ${value.length} bytes is too long`);
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint16(0, code);
    new DataView(head.buffer).setUint16(2, value.length);
    parts.push(head, padded(value));
  }
  parts.push(new Uint8Array(4));
  return parts;
}

/** A copy with zero bytes up to a multiple of four. */
function padded(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  result.set(bytes);
  return result;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
