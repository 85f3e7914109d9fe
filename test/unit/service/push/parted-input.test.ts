/** A request whose rest lies in the bucket, in parts. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../../../src/bytes/byte-stream.ts";
import { ProtocolError } from "../../../../src/bytes/failure.ts";
import { partFile, PartedInput } from "../../../../src/service/push/parted-input.ts";
import { type MemoryPackStorage, memoryPackStorage } from "../../../support/memory-pack-storage.ts";

function headOf(text: string): ByteSource {
  let rest = Buffer.from(text);
  return {
    read: async (buffer) => {
      const owned = new Uint8Array(buffer.buffer.transfer());
      const length = Math.min(owned.length, rest.length);
      owned.set(rest.subarray(0, length));
      rest = rest.subarray(length);
      return owned.subarray(0, length);
    },
  };
}

async function stored(texts: readonly string[]): Promise<{
  storage: MemoryPackStorage;
  upload: { name: string; parts: { number: number; bytes: number }[] };
}> {
  const storage = memoryPackStorage();
  for (const [at, text] of texts.entries()) await storage.write(partFile("u", at + 1), Buffer.from(text));
  return { storage, upload: { name: "u", parts: texts.map((text, at) => ({ number: at + 1, bytes: text.length })) } };
}

async function readAll(input: ByteSource, size: number): Promise<string> {
  let text = "";
  let buffer = new Uint8Array(size);
  for (;;) {
    const bytes = await input.read(buffer);
    expect(bytes.buffer.byteLength).toBe(size);
    if (bytes.length === 0) return text;
    text += Buffer.from(bytes).toString();
    buffer = new Uint8Array(bytes.buffer);
  }
}

describe("PartedInput", () => {
  it("reads the head and the parts in order, into buffers of any size", async () => {
    const part = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme-ascii" }),
        fc.array(part),
        fc.integer({ min: 1, max: 12 }),
        async (head, parts, size) => {
          const { storage, upload } = await stored(parts);
          expect(await readAll(new PartedInput(headOf(head), storage, upload), size)).toBe(head + parts.join(""));
        },
      ),
    );
  });

  it("opens no part that is skipped", async () => {
    const { storage, upload } = await stored(["one", "two"]);
    let opened = 0;
    const counting = {
      openStream: (...asked: Parameters<MemoryPackStorage["openStream"]>) => {
        opened += 1;
        return storage.openStream(...asked);
      },
    };
    const input = new PartedInput(headOf("head"), counting, upload);
    expect(Buffer.from(await input.read(new Uint8Array(10))).toString()).toBe("head");
    await input.skip();
    expect(await readAll(input, 10)).toBe("");
    expect(opened).toBe(0);
  });

  it("reports a part that is gone to the client, and not as damage of the store", async () => {
    const { storage, upload } = await stored(["one", "two"]);
    storage.files.delete("u.part-2");
    await expect(readAll(new PartedInput(headOf(""), storage, upload), 10)).rejects.toThrow(
      new ProtocolError("part 2 of the upload is gone"),
    );
  });
});
