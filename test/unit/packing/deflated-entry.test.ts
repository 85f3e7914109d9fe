/** Entries of new objects: what zlib makes of them, and whether others may run while they are made. */
import { deflateRawSync, deflateSync, constants, inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { entryHeaderBytes } from "../../../src/format/pack-entry.ts";
import { deflatedEntry } from "../../../src/packing/deflated-entry.ts";
import { noise } from "../../support/git-fixtures.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Makes an entry. Gives what its stream inflates to, and the bytes of each call between two pauses. */
async function made(content: Uint8Array): Promise<{ readonly inflated: Buffer; readonly runs: number[] }> {
  const runs = [0];
  const note = (bytes: Uint8Array): void => void (runs[runs.length - 1] = (runs.at(-1) ?? 0) + bytes.length);
  const tools = {
    pacer: new Pacer(async () => void runs.push(0)),
    deflate: (bytes: Uint8Array) => {
      note(bytes);
      return deflateSync(bytes);
    },
    deflatePiece: (bytes: Uint8Array, isLast: boolean) => {
      note(bytes);
      return deflateRawSync(bytes, { finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH });
    },
  };
  const entry = await deflatedEntry("blob", content, tools);
  return { inflated: inflateSync(entry.subarray(entryHeaderBytes(content.length))), runs };
}

describe("the entry of an object", () => {
  it.each([0, 1, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 512 * KIB, 4 * MIB])(
    "of %i bytes inflates to it",
    async (size) => {
      for (const content of [noise(size), Buffer.alloc(size, "line\n")]) {
        expect((await made(content)).inflated.equals(content)).toBe(true);
      }
    },
  );

  it("is made with pauses: no more than half a MiB is deflated between two of them", async () => {
    const { runs } = await made(noise(4 * MIB));
    expect(runs.reduce((sum, bytes) => sum + bytes, 0)).toBe(4 * MIB);
    expect(Math.max(...runs)).toBeLessThanOrEqual(512 * KIB);
  });
});
