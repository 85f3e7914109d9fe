import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../../src/bytes/byte-stream.ts";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { bandSource, LineSource } from "../../../src/mirror/line-source.ts";
import { encodePktLine, FLUSH_PKT } from "../../../src/wire/pkt-line.ts";
import { BAND_DATA, BAND_ERROR, BAND_PROGRESS, encodeSideBand } from "../../../src/wire/side-band.ts";

/** Reads lines without pauses. */
const linesOf = (from: ByteSource): LineSource => new LineSource(from, new Pacer(async () => undefined));

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
    const pack = bandSource(linesOf(source(bytes, piece)), {
      onProgress: (said) => (progress += said),
      onBytes: (more) => (count += more),
    });
    expect(await readAll(pack, buffer)).toBe("PACK one and two");
    expect(progress).toBe("Counting\rdone\n");
    expect(count).toBe(16);
  });

  it("quotes a part of what the upstream fails with, in one line", async () => {
    const nobody = { onProgress: () => undefined, onBytes: () => undefined };
    const failing = encodeSideBand(BAND_ERROR, text(`\u001b[31mno\r\n${"y".repeat(60_000)}`));
    const said = await readAll(bandSource(linesOf(source(failing, piece)), nobody), 4).catch(String);
    expect(said).toMatch(/The upstream says: \[31mno y+$/);
    expect(said.length).toBeLessThan(600);
  });

  it("ends with a clear error if the upstream fails or breaks off", async () => {
    const nobody = { onProgress: () => undefined, onBytes: () => undefined };
    const failing = whole(encodeSideBand(BAND_DATA, text("PACK")), encodeSideBand(BAND_ERROR, text("out of memory\n")));
    await expect(readAll(bandSource(linesOf(source(failing, piece)), nobody), 4)).rejects.toThrow(
      "The upstream says: out of memory",
    );
    const cut = encodeSideBand(BAND_DATA, text("PACK and more"));
    await expect(readAll(bandSource(linesOf(source(cut, piece)), nobody), 100)).rejects.toThrow("broke off");
    await expect(readAll(bandSource(linesOf(source(cut.subarray(0, 9), piece)), nobody), 100)).rejects.toThrow(
      "broke off",
    );
    const refused = encodePktLine("ERR access denied\n");
    await expect(linesOf(source(refused, piece)).next()).rejects.toThrow("The upstream says: access denied");
  });
});

describe("an upstream that sends no pack, and goes on", () => {
  const nobody = { onProgress: () => undefined, onBytes: () => undefined };

  /** Gives the same bytes again and again, and counts them. */
  function endless(bytes: Uint8Array): ByteSource & { readonly given: () => number } {
    let given = 0;
    return {
      given: () => given,
      read: async (buffer) => {
        const count = Math.floor(buffer.length / bytes.length) * bytes.length;
        for (let at = 0; at < count; at += bytes.length) buffer.set(bytes, at);
        given += count;
        return buffer.subarray(0, count);
      },
    };
  }

  it.each([
    ["with progress", encodeSideBand(BAND_PROGRESS, text("x".repeat(60_000)))],
    ["with packets of nothing", text("0005\u0001")],
  ])("is given up after some MiB, %s", async (_, packet) => {
    const upstream = endless(packet);
    const reading = readAll(bandSource(linesOf(upstream), nobody), 4096);
    await expect(reading).rejects.toMatchObject({ name: "LimitExceeded", limit: "mirror-talk-bytes" });
    expect(upstream.given()).toBeLessThan(18 * 1024 * 1024);
  });
});
