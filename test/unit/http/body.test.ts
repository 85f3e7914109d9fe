/** A request's body as it is read: whose fault it is when it can't be. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { LimitExceeded } from "../../../src/bytes/failure.ts";
import { requestSource } from "../../../src/http/body.ts";
import { Traffic } from "../../../src/http/traffic.ts";
import { SeededRandom } from "../../support/seeded-random.ts";
import { memoryBudget } from "../../support/memory.ts";

const KB = 1024;

/** Reads a body whose pieces are given, the last of which may be an error. Returns the error, and why it was cancelled. */
async function failureOf(pieces: readonly (Uint8Array | Error)[], said = false): Promise<readonly unknown[]> {
  const left = [...pieces];
  const cancelled: unknown[] = [];
  // The platform's reader has a method that Node's lacks.
  const reader = {
    readAtLeast: async (_: number, view: Uint8Array) => {
      const piece = left.shift();
      if (piece instanceof Error) throw piece;
      if (piece === undefined) return { value: view.subarray(0, 0), done: true };
      view.set(piece);
      return { value: view.subarray(0, piece.length), done: left.length === 0 };
    },
    cancel: async (reason: unknown) => void cancelled.push(reason),
  };
  const body = { getReader: () => reader } as unknown as ReadableStream;
  const source = requestSource(body, said, memoryBudget().open("test"), new Traffic());
  try {
    while ((await source.read(new Uint8Array(64 * KB))).length > 0);
  } catch (error) {
    return [error, ...cancelled];
  }
  return [];
}

describe("a zipped body", () => {
  const random = new SeededRandom(1);
  // Bytes that can't be made smaller: what comes first fills the buffer.
  const zipped = gzipSync(Uint8Array.from({ length: 512 * KB }, () => random.below(256)));
  const first = zipped.subarray(0, 64 * KB);

  it("that is broken is refused, and no more of it is taken", async () => {
    const broken = Buffer.concat([first, Buffer.alloc(1000, 7)]);
    const [error, reason] = await failureOf([broken.subarray(0, 64 * KB), broken.subarray(64 * KB)]);
    expect(error).toMatchObject({ status: 400, message: "the request's gzip data is broken" });
    expect(reason).toBeDefined();
  });

  it("whose client hangs up broke off", async () => {
    const [error, reason] = await failureOf([first, new TypeError("gone")]);
    expect(error).toMatchObject({ status: 400, message: "the request's body broke off" });
    expect(reason).toBe(error);
  });

  it("that unzips to too much is cancelled", async () => {
    const bomb = gzipSync(Buffer.alloc(80 * 1024 * KB));
    const pieces = Array.from({ length: Math.ceil(bomb.length / (64 * KB)) }, (_, i) =>
      bomb.subarray(i * 64 * KB, (i + 1) * 64 * KB),
    );
    const [error, reason] = await failureOf(pieces);
    expect(error).toBeInstanceOf(LimitExceeded);
    expect(reason).toBe(error);
  });
});
