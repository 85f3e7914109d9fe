/**
 * The frames of a WebSocket, as a client sends and gets them.
 *
 * @packageDocumentation
 * @see RFC 6455, section 5.2
 */
import { randomBytes } from "node:crypto";

/** What a frame is. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** The bit of the last frame of a message, and that of a mask. */
const FINAL = 0x80;
const MASKED = 0x80;
/** Lengths that say how many bytes of length follow. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;
/** The most bytes of a frame that is taken. The host sends pieces of some 256 KiB. */
const MOST_BYTES = 32 * 1024 * 1024;

/** A frame, without its mask. */
export type Frame = { readonly opcode: number; readonly payload: Buffer };

/** Encodes a frame. Those of clients are masked. */
export function encodeFrame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const extra = length < LENGTH_16 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extra + 4 + length);
  frame[0] = FINAL | opcode;
  frame[1] = MASKED | (extra === 0 ? length : extra === 2 ? LENGTH_16 : LENGTH_64);
  if (extra === 2) frame.writeUInt16BE(length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  const mask = randomBytes(4);
  const start = 2 + extra + 4;
  mask.copy(frame, start - 4);
  for (let at = 0; at < length; at++) frame[start + at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return frame;
}

/** Takes frames out of what comes. */
export class FrameReader {
  #pending = Buffer.alloc(0);

  /** Returns the whole frames that a piece completes. @throws Error on a frame that the host must not send */
  push(piece: Buffer): Frame[] {
    this.#pending = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece]);
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    const bytes = this.#pending;
    if (bytes.length < 2) return undefined;
    const short = bytes.readUInt8(1);
    const extra = short === LENGTH_16 ? 2 : short === LENGTH_64 ? 8 : 0;
    if (bytes.length < 2 + extra) return undefined;
    const length = extra === 0 ? short : extra === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    // This also refuses a mask, which no server sends.
    if (short > LENGTH_64 || length > MOST_BYTES) throw new Error("the host sent a frame that can't be");
    const end = 2 + extra + length;
    if (bytes.length < end) return undefined;
    this.#pending = bytes.subarray(end);
    return { opcode: bytes.readUInt8(0) & 0x0f, payload: bytes.subarray(2 + extra, end) };
  }
}
