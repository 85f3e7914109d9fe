/** What a stretch of a pack does where the bucket's bodies break off, and where it is closed meanwhile. */
import { expect, it } from "vitest";
import { BucketUnavailable } from "../../../src/bytes/failure.ts";
import type { PackByteStream } from "../../../src/catalog/pack-storage.ts";
import { MOST_REOPENINGS, StretchReader } from "../../../src/packing/stretch-reader.ts";

const PIECE = 10;
const gone = (): BucketUnavailable => new BucketUnavailable("gives", "pack", {});

/** The bucket's bodies: how many were opened, and how many were cancelled. */
type Bodies = { opened: number; cancelled: number };

/** Opens a stretch of a pack. Each body gives `pieces` pieces, and breaks off. `onCancel` is awaited by who cancels one. */
function stretch(pieces: number, onCancel?: () => Promise<void>): { reader: StretchReader; bodies: Bodies } {
  const bodies: Bodies = { opened: 0, cancelled: 0 };
  const openRun = async (): Promise<PackByteStream> => {
    bodies.opened++;
    let left = pieces;
    return {
      read: async (buffer) => {
        if (left-- === 0) throw gone();
        return buffer;
      },
      cancel: async () => {
        bodies.cancelled++;
        await onCancel?.();
      },
    };
  };
  const pack = { record: { name: "pack" }, openRun };
  return { reader: new StretchReader(pack as never, 0, Number.MAX_SAFE_INTEGER), bodies };
}

/** Reads a piece, and then another. Returns how many could be read. */
async function readOn(reader: StretchReader, most: number): Promise<number> {
  for (let count = 0; count < most; count++) {
    const bytes = await reader.read(count * PIECE, PIECE).catch(() => undefined);
    if (bytes === undefined) return count;
  }
  return most;
}

it("a body that breaks off is opened again, and cancelled", async () => {
  const { reader, bodies } = stretch(5);
  expect(await readOn(reader, 20)).toBe(20);
  await reader.close();
  expect(bodies).toEqual({ opened: 4, cancelled: 4 });
});

it("a stretch whose bodies break off again and again is given up", async () => {
  const { reader, bodies } = stretch(1);
  expect(await readOn(reader, 10 * MOST_REOPENINGS)).toBe(1 + MOST_REOPENINGS);
  await reader.close();
  expect(bodies.opened).toBe(1 + MOST_REOPENINGS);
});

it("a stretch that is closed while a body that broke off is cancelled opens no other", async () => {
  const cancelling = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  const { reader, bodies } = stretch(1, async () => {
    cancelling.resolve();
    await cancelled.promise;
  });
  await reader.read(0, PIECE);
  const reading = reader.read(PIECE, PIECE).catch((error: unknown) => error);
  await cancelling.promise;
  await reader.close();
  cancelled.resolve();
  expect(await reading).toBeInstanceOf(BucketUnavailable);
  expect(bodies).toEqual({ opened: 1, cancelled: 1 });
});
