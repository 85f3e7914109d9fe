import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PktLineDecoder } from "../../../src/wire/pkt-line.ts";
import {
  BAND_DATA,
  BAND_ERROR,
  BAND_PROGRESS,
  SIDE_BAND_64K_PACKET_MAX,
  SIDE_BAND_HEADER_SIZE,
  SIDE_BAND_PACKET_MAX,
  encodeKeepAlive,
  encodeSideBand,
  frameSideBand,
  parseSideBand,
  sideBandCapacity,
  sideBandSize,
  writeSideBandHeader,
} from "../../../src/wire/side-band.ts";
import { pktLine, pktText } from "../../support/pkt.ts";

const band = fc.constantFrom(BAND_DATA, BAND_PROGRESS, BAND_ERROR);
const packetMax = fc.constantFrom(SIDE_BAND_PACKET_MAX, SIDE_BAND_64K_PACKET_MAX);

/** Data at the edges of a packet, for either size. */
const length = fc.oneof(
  fc.integer({ min: 0, max: 3000 }),
  fc.constantFrom(995, 996, 1990, 1991, 65_515, 65_516, 131_030, 131_031),
);

describe("side-bands", () => {
  test("carry data in packets of at most the agreed size", () => {
    fc.assert(
      fc.property(band, packetMax, length, (which, max, size) => {
        const data = Uint8Array.from({ length: size }, (_, index) => index % 251);
        const framed = encodeSideBand(which, data, max);
        expect(framed).toHaveLength(sideBandSize(size, max));
        const decoder = new PktLineDecoder();
        decoder.push(framed);
        const pieces: Uint8Array[] = [];
        for (let line = decoder.next(); line !== undefined; line = decoder.next()) {
          const packet = parseSideBand(line);
          expect(packet).toMatchObject({ kind: "band", band: which });
          if (packet.kind === "band") pieces.push(packet.data.slice());
        }
        decoder.end();
        expect(Buffer.concat(pieces).equals(data)).toBe(true);
        const full = max - SIDE_BAND_HEADER_SIZE;
        expect(pieces.slice(0, -1).every((piece) => piece.length === full)).toBe(true);
        expect(pieces.length).toBe(Math.ceil(size / full));
      }),
    );
  });

  test("compute the largest amount of data that fits into a buffer", () => {
    fc.assert(
      fc.property(packetMax, fc.integer({ min: 0, max: 200_000 }), (max, room) => {
        const most = sideBandCapacity(room, max);
        expect(sideBandSize(most, max)).toBeLessThanOrEqual(room);
        expect(sideBandSize(most + 1, max)).toBeGreaterThan(room);
      }),
    );
  });

  test("frame data in place", () => {
    const buffer = new Uint8Array(SIDE_BAND_HEADER_SIZE + 4);
    buffer.set(Buffer.from("PACK"), SIDE_BAND_HEADER_SIZE);
    writeSideBandHeader(BAND_DATA, 4, buffer, 0);
    expect(pktText(buffer)).toEqual(["\\x01PACK"]);
  });

  test("refuse a buffer that is too short", () => {
    const framing = { band: BAND_PROGRESS, packetMax: SIDE_BAND_PACKET_MAX } as const;
    expect(() => frameSideBand(framing, new Uint8Array(10), new Uint8Array(14))).toThrow(RangeError);
  });

  test("have the keepalive packet that upload-pack sends", () => {
    expect(Buffer.from(encodeKeepAlive()).toString("latin1")).toBe("0005\u0001");
  });

  test("end at any control packet", () => {
    expect(["0000", "0001", "0002"].map((line) => parseSideBand(pktLine(line)).kind)).toEqual(["end", "end", "end"]);
  });

  test.each([
    ["", "protocol error: missing sideband designator"],
    ["\\0x", "protocol error: bad band #0"],
    ["\\x04x", "protocol error: bad band #4"],
    ["PACK", "protocol error: bad band #80"],
  ])("refuse the payload %j", (payload, message) => {
    expect(() => parseSideBand(pktLine(payload))).toThrow(message);
  });
});
