/**
 * Side-bands: pack data, progress and a fatal error, multiplexed over one stream of pkt-lines.
 *
 * ```text
 * side-band := pkt-line whose payload is  band (1 byte)  data
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-capabilities(5), gitprotocol-pack(5)
 */
import { ProtocolError } from "../bytes/failure.ts";
import { LARGE_PACKET_MAX, PKT_HEADER_SIZE, type PktLine, writePktLength } from "./pkt-line.ts";

const encoder = new TextEncoder();

/** Band 1: the pack, or the report of a push. */
export const BAND_DATA = 1;
/** Band 2: text for the user's terminal. */
export const BAND_PROGRESS = 2;
/** Band 3: the fatal error that ends the stream. */
export const BAND_ERROR = 3;

/** The number of the stream to which a packet belongs. */
export type Band = typeof BAND_DATA | typeof BAND_PROGRESS | typeof BAND_ERROR;

/** Bytes of the longest packet with the `side-band` capability, including the length field. */
export const SIDE_BAND_PACKET_MAX = 1000;
/** Bytes of the longest packet with the `side-band-64k` capability and in version 2, including the length field. */
export const SIDE_BAND_64K_PACKET_MAX = LARGE_PACKET_MAX;

/** Bytes of the longest packet that client and server agreed on. */
export type SideBandPacketMax = typeof SIDE_BAND_PACKET_MAX | typeof SIDE_BAND_64K_PACKET_MAX;

/** Bytes before the data of a packet: the length field and the band. */
export const SIDE_BAND_HEADER_SIZE = PKT_HEADER_SIZE + 1;

/** The band and the packet size of framed data. */
export type SideBandFraming = { readonly band: Band; readonly packetMax: SideBandPacketMax };

/**
 * Returns text for a terminal, in bytes. Each run of control characters becomes one space, but for line ends and tabs: names and paths
 * that others chose must not steer a terminal. git's client masks them, too, from 2.55 on (`sideband.allowControlCharacters` in git-config(1)).
 */
export function encodeTerminalText(text: string): Uint8Array {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return encoder.encode(text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]+/g, " "));
}

/** Returns the number of bytes that `length` bytes of data take when framed. */
export function sideBandSize(length: number, packetMax: SideBandPacketMax): number {
  return length + Math.ceil(length / (packetMax - SIDE_BAND_HEADER_SIZE)) * SIDE_BAND_HEADER_SIZE;
}

/** Returns the largest number of data bytes whose framed form fits into `room` bytes. */
export function sideBandCapacity(room: number, packetMax: SideBandPacketMax): number {
  const inWholePackets = Math.floor(room / packetMax) * (packetMax - SIDE_BAND_HEADER_SIZE);
  return inWholePackets + Math.max(0, (room % packetMax) - SIDE_BAND_HEADER_SIZE);
}

/**
 * Writes a packet's header at `at`. The caller puts the `length` bytes of data directly behind it, so that framing
 * needs no copy. Header and data together must not be longer than the agreed packet size.
 */
export function writeSideBandHeader(band: Band, length: number, into: Uint8Array, at: number): void {
  writePktLength(length + SIDE_BAND_HEADER_SIZE, into, at);
  into[at + PKT_HEADER_SIZE] = band;
}

/**
 * Frames all of `data` into the caller's buffer and returns the number of bytes written. `into` must have
 * {@link sideBandSize} bytes and must not overlap `data`.
 *
 * @throws RangeError if `into` is too short.
 */
export function frameSideBand(framing: SideBandFraming, data: Uint8Array, into: Uint8Array): number {
  const most = framing.packetMax - SIDE_BAND_HEADER_SIZE;
  let written = 0;
  for (let at = 0; at < data.length; at += most) {
    const piece = data.subarray(at, at + most);
    into.set(piece, written + SIDE_BAND_HEADER_SIZE);
    writeSideBandHeader(framing.band, piece.length, into, written);
    written += SIDE_BAND_HEADER_SIZE + piece.length;
  }
  return written;
}

/** Frames all of `data` into a new buffer. Empty data makes no packet. */
export function encodeSideBand(
  band: Band,
  data: Uint8Array,
  packetMax: SideBandPacketMax = SIDE_BAND_64K_PACKET_MAX,
): Uint8Array<ArrayBuffer> {
  const packets = new Uint8Array(sideBandSize(data.length, packetMax));
  frameSideBand({ band, packetMax }, data, packets);
  return packets;
}

/** Returns the empty packet on the data band that upload-pack sends to keep a quiet connection open. */
export function encodeKeepAlive(): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(SIDE_BAND_HEADER_SIZE);
  writeSideBandHeader(BAND_DATA, 0, packet, 0);
  return packet;
}

/** One packet of a side-band stream, as a client reads it. `end` is any control packet. */
export type SideBandPacket =
  | { readonly kind: "band"; readonly band: Band; readonly data: Uint8Array }
  | { readonly kind: "end" };

/**
 * Parses one packet of a side-band stream. The data is a view into the line's payload.
 *
 * @throws ProtocolError in git's words if the band is missing or unknown.
 */
export function parseSideBand(line: PktLine): SideBandPacket {
  if (line.kind !== "data") return { kind: "end" };
  const band = line.payload[0];
  if (band === undefined) throw new ProtocolError("protocol error: missing sideband designator");
  if (band !== BAND_DATA && band !== BAND_PROGRESS && band !== BAND_ERROR) {
    throw new ProtocolError(`protocol error: bad band #${band}`);
  }
  return { kind: "band", band, data: line.payload.subarray(1) };
}
