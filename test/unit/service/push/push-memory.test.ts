/** What the beginning of a push holds until its kernel is lent. */
import { expect, it } from "vitest";
import type { ByteSource } from "../../../../src/bytes/byte-stream.ts";
import { PushMemory } from "../../../../src/service/push/push-memory.ts";
import { ManualClock, memoryBudget } from "../../../support/memory.ts";
import { MemoryService } from "../memory-service.ts";

const MIB = 1024 * 1024;

/** A source of so many bytes, at most so many of them at a time: each is the low byte of its place. */
function dripping(total: number, atOnce: number): ByteSource {
  let at = 0;
  return {
    read: async (buffer) => {
      const length = Math.min(atOnce, total - at, buffer.length);
      for (let i = 0; i < length; i++) buffer[i] = (at + i) & 0xff;
      at += length;
      return buffer.subarray(0, length);
    },
  };
}

it.each([700, 17_000, 32_768, 40_000, 262_144])(
  "holds about as much as has come, in pieces of %i bytes, and passes on the same bytes",
  async (atOnce) => {
    const account = memoryBudget({}, new ManualClock()).open("x");
    const memory = new PushMemory({ ...new MemoryService().repository, memory: account }, 20);
    const total = 2 * MIB + 5;
    const source = await memory.start(dripping(total, atOnce));
    expect(account.bytes).toBeGreaterThanOrEqual(MIB);
    expect(account.bytes).toBeLessThanOrEqual(2 * (MIB + atOnce));
    let read = 0;
    for (let piece = await source.read(new Uint8Array(50_000)); piece.length > 0;) {
      expect(piece.every((byte, i) => byte === ((read + i) & 0xff))).toBe(true);
      read += piece.length;
      piece = await source.read(new Uint8Array(50_000));
    }
    expect(read).toBe(total);
    expect(account.bytes).toBe(0);
    memory.end();
  },
);
