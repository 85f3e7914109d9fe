import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../../src/bytes/byte-stream.ts";
import { bandSource, LineSource } from "../../../src/mirror/line-source.ts";
import { encodePktLine, FLUSH_PKT } from "../../../src/wire/pkt-line.ts";
import { BAND_DATA, BAND_ERROR, BAND_PROGRESS, encodeSideBand } from "../../../src/wire/side-band.ts";

/** Gives bytes in pieces of a size. */
function source(bytes: Uint8Array, piece: number): ByteSource {
  let at = 0;
  return {
    read: async (buffer) => {
      const chunk = bytes.subarray(at, at + Math.min(piece, buffer.length));
      at += chunk.length;
      buffer.set(chunk);
      return buffer.subarray(0, chunk.length);
    },
  };
}

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const whole = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

async function readAll(pack: ByteSource, buffer: number): Promise<string> {
  let all = "";
  for (;;) {
    const chunk = await pack.read(new Uint8Array(buffer));
    if (chunk.length === 0) return all;
    all += Buffer.from(chunk).toString();
  }
}

describe.each([1, 7, 100_000])("an upstream's answer in pieces of %i bytes", (piece) => {
  it.each([1, 5, 4096])("yields the pack from the bands, %i bytes at a time", async (buffer) => {
    const bytes = whole(
      encodeSideBand(BAND_PROGRESS, text("Counting\r")),
      encodeSideBand(BAND_DATA, text("PACK one ")),
      encodeSideBand(BAND_DATA, text("")),
      encodeSideBand(BAND_PROGRESS, text("done\n")),
      encodeSideBand(BAND_DATA, text("and two")),
      FLUSH_PKT,
    );
    let progress = "";
    let count = 0;
    const pack = bandSource(new LineSource(source(bytes, piece)), {
      onProgress: (said) => (progress += said),
      onBytes: (more) => (count += more),
    });
    expect(await readAll(pack, buffer)).toBe("PACK one and two");
    expect(progress).toBe("Counting\rdone\n");
    expect(count).toBe(16);
  });

  it("ends with a clear error if the upstream fails or breaks off", async () => {
    const nobody = { onProgress: () => undefined, onBytes: () => undefined };
    const failing = whole(encodeSideBand(BAND_DATA, text("PACK")), encodeSideBand(BAND_ERROR, text("out of memory\n")));
    await expect(readAll(bandSource(new LineSource(source(failing, piece)), nobody), 4)).rejects.toThrow(
      "The upstream says: out of memory",
    );
    const cut = encodeSideBand(BAND_DATA, text("PACK and more"));
    await expect(readAll(bandSource(new LineSource(source(cut, piece)), nobody), 100)).rejects.toThrow("broke off");
    await expect(readAll(bandSource(new LineSource(source(cut.subarray(0, 9), piece)), nobody), 100)).rejects.toThrow(
      "broke off",
    );
    const refused = encodePktLine("ERR access denied\n");
    await expect(new LineSource(source(refused, piece)).next()).rejects.toThrow("The upstream says: access denied");
  });
});
