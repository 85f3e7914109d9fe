/**
 * What every pack storage has to do. Run on the one in memory and on R2 in workerd.
 *
 * @packageDocumentation
 */
import { describe, expect, it } from "vitest";
import type { PackFile, PackStorage } from "../../src/catalog/pack-storage.ts";

let count = 0;

/** A name that was never used. */
function freshFile(extension: PackFile["extension"] = "pack"): PackFile {
  count += 1;
  return { pack: count.toString(16).padStart(40, "e"), extension };
}

function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
}

/** Compared as buffers: a failed comparison of megabytes must not print them. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Declares the suite. */
export function packStorageSuite(title: string, open: () => Promise<PackStorage>): void {
  describe(`pack storage: ${title}`, () => {
    describe("whole files", () => {
      wholeFileCases(open);
    });
    describe("streams", () => {
      streamCases(open);
    });
    describe("uploads", () => {
      uploadCases(open);
    });
  });
}

function wholeFileCases(open: () => Promise<PackStorage>): void {
  it("gives back what was written, whole and in part", async () => {
    const storage = await open();
    const file = freshFile("idx");
    const bytes = pattern(100_000);
    await storage.write(file, bytes);
    expect(sameBytes(await storage.read(file, 0, bytes.length), bytes)).toBe(true);
    expect(sameBytes(await storage.read(file, 777, 1234), bytes.subarray(777, 2011))).toBe(true);
    expect(sameBytes(await storage.read(file, 99_999, 1), bytes.subarray(99_999))).toBe(true);
    expect((await storage.read(file, 5, 0)).length).toBe(0);
  });

  it("writes a name once", async () => {
    const storage = await open();
    const file = freshFile();
    await storage.write(file, pattern(10));
    await expect(storage.write(file, pattern(20))).rejects.toThrow("exists");
    expect((await storage.read(file, 0, 10)).length).toBe(10);
  });

  it("writes what is made from a pack again: a run that failed in between has to be able to go on", async () => {
    const storage = await open();
    for (const extension of ["bitmap", "tips"] as const) {
      const file = freshFile(extension);
      await storage.write(file, pattern(10));
      await storage.write(file, pattern(20));
      expect(sameBytes(await storage.read(file, 0, 20), pattern(20))).toBe(true);
    }
  });

  it("throws CorruptStore where a file is missing or shorter than promised", async () => {
    const storage = await open();
    const file = freshFile();
    await expect(storage.read(file, 0, 1)).rejects.toThrow("missing");
    await expect(storage.openStream(file, 0, 1)).rejects.toThrow("missing");
    await storage.write(file, pattern(10));
    await expect(storage.read(file, 5, 6)).rejects.toHaveProperty("name", "CorruptStore");
    await expect(storage.read(file, 10, 1)).rejects.toHaveProperty("name", "CorruptStore");
    await expect(storage.openStream(file, 5, 6)).rejects.toHaveProperty("name", "CorruptStore");
  });

  it("deletes what is there and passes over what is not", async () => {
    const storage = await open();
    const kept = freshFile();
    const gone = freshFile();
    await storage.write(kept, pattern(10));
    await storage.write(gone, pattern(10));
    await storage.delete([gone, freshFile(), { ...gone, extension: "idx" }]);
    await storage.delete([]);
    await expect(storage.read(gone, 0, 1)).rejects.toThrow("missing");
    expect((await storage.read(kept, 0, 10)).length).toBe(10);
  });

  it("deletes all files of a pack, and of no other", async () => {
    const storage = await open();
    const file = freshFile();
    const near = { ...file, pack: `${file.pack}0` };
    for (const extension of ["pack", "idx", "scratch-0", "scratch-12"] as const)
      await storage.write({ ...file, extension }, pattern(10));
    await storage.write(near, pattern(10));
    await storage.deletePack(file.pack);
    for (const extension of ["pack", "idx", "scratch-0", "scratch-12"] as const)
      await expect(storage.read({ ...file, extension }, 0, 1)).rejects.toThrow("missing");
    expect((await storage.read(near, 0, 10)).length).toBe(10);
    await storage.deletePack(file.pack);
  });
}

function streamCases(open: () => Promise<PackStorage>): void {
  it("fills every buffer until the end, whatever their sizes", async () => {
    const storage = await open();
    const file = freshFile();
    const bytes = pattern(300_000);
    await storage.write(file, bytes);
    const stream = await storage.openStream(file, 1000, 250_000);
    let at = 1000;
    for (const size of [1, 65_536, 7, 100_000]) {
      const piece = await stream.read(new Uint8Array(size));
      expect(piece.length).toBe(size);
      expect(sameBytes(piece, bytes.subarray(at, at + size))).toBe(true);
      at += size;
    }
    const last = await stream.read(new Uint8Array(200_000));
    expect(sameBytes(last, bytes.subarray(at, 251_000))).toBe(true);
    expect((await stream.read(new Uint8Array(10))).length).toBe(0);
    expect((await stream.read(new Uint8Array(10))).length).toBe(0);
  });

  it("hands the buffer back, so that it can be used again", async () => {
    const storage = await open();
    const file = freshFile();
    await storage.write(file, pattern(100));
    const stream = await storage.openStream(file, 0, 100);
    const first = await stream.read(new Uint8Array(60));
    expect(first.buffer.byteLength).toBe(60);
    const second = await stream.read(new Uint8Array(first.buffer));
    expect(second.length).toBe(40);
    expect(second.buffer.byteLength).toBe(60);
    const end = await stream.read(new Uint8Array(second.buffer));
    expect(end.length).toBe(0);
  });

  it("can be given up", async () => {
    const storage = await open();
    const file = freshFile();
    await storage.write(file, pattern(500_000));
    const stream = await storage.openStream(file, 0, 500_000);
    await stream.read(new Uint8Array(10));
    await stream.cancel();
    await stream.cancel();
    expect((await storage.read(file, 0, 10)).length).toBe(10);
  });
}

function uploadCases(open: () => Promise<PackStorage>): void {
  it("shows an upload when it is complete, not before", async () => {
    const storage = await open();
    const file = freshFile();
    const upload = await storage.createUpload(file);
    const bytes = pattern(upload.partSize * 2 + 100);
    await Promise.all([
      upload.writePart(bytes.subarray(0, upload.partSize)),
      upload.writePart(bytes.subarray(upload.partSize, upload.partSize * 2)),
    ]);
    await upload.writePart(bytes.subarray(upload.partSize * 2));
    await expect(storage.read(file, 0, 1)).rejects.toThrow("missing");
    await upload.complete();
    expect(sameBytes(await storage.read(file, 0, bytes.length), bytes)).toBe(true);
  });

  it("takes a single short part", async () => {
    const storage = await open();
    const file = freshFile();
    const upload = await storage.createUpload(file);
    await upload.writePart(pattern(100));
    await upload.complete();
    expect((await storage.read(file, 0, 100)).length).toBe(100);
  });

  it("refuses parts of unequal size", async () => {
    const storage = await open();
    const file = freshFile();
    const upload = await storage.createUpload(file);
    await upload.writePart(pattern(upload.partSize - 1));
    await upload.writePart(pattern(upload.partSize));
    await expect(upload.complete()).rejects.toThrow(/part/i);
    await expect(storage.read(file, 0, 1)).rejects.toThrow("missing");
  });

  it("leaves nothing of an upload that was given up", async () => {
    const storage = await open();
    const file = freshFile();
    const upload = await storage.createUpload(file);
    await upload.writePart(pattern(upload.partSize));
    await upload.abort();
    await upload.abort();
    await expect(storage.read(file, 0, 1)).rejects.toThrow("missing");
  });
}
