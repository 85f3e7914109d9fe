/**
 * A bucket prefix in memory, as strict as the real one: parts are equal but the last, a name is written once, nothing appears
 * before it is whole.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../src/bytes/failure.ts";
import { MADE_FROM_PACKS } from "../../src/catalog/pack-storage.ts";
import type { PackFile, PackStorage, PackUpload } from "../../src/catalog/pack-storage.ts";

/** A storage whose files a test may look at and change, by `{pack}.{extension}`. */
export type MemoryPackStorage = PackStorage & { readonly files: Map<string, Uint8Array<ArrayBuffer>> };

const nameOf = (file: PackFile): string => `${file.pack}.${file.extension}`;

/** Makes an empty prefix. `partSize` may be small, so that a test needs few bytes for many parts. */
export function memoryPackStorage(partSize = 8 * 1024 * 1024): MemoryPackStorage {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const read = (file: PackFile, offset: number, length: number): Uint8Array<ArrayBuffer> => {
    const bytes = files.get(nameOf(file));
    if (bytes === undefined) throw new CorruptStore(`${nameOf(file)} is missing`);
    if (offset + length > bytes.length) throw new CorruptStore(`${nameOf(file)} ends at ${bytes.length}`);
    return bytes.slice(offset, offset + length);
  };
  const put = (file: PackFile, bytes: Uint8Array<ArrayBuffer>): void => {
    const isMadeAgain = MADE_FROM_PACKS.has(file.extension);
    if (!isMadeAgain && files.has(nameOf(file))) throw new CorruptStore(`${nameOf(file)} exists`);
    files.set(nameOf(file), bytes);
  };
  return {
    files,
    read: async (file, offset, length) => read(file, offset, length),
    openStream: async (file, offset, length) => {
      let rest = read(file, offset, length);
      return {
        read: async (buffer) => {
          // As a BYOB read does: the caller's view is dead after this.
          const { byteOffset, byteLength } = buffer;
          const owned = new Uint8Array(buffer.buffer.transfer(), byteOffset, byteLength);
          const taken = Math.min(owned.length, rest.length);
          owned.set(rest.subarray(0, taken));
          rest = rest.subarray(taken);
          return owned.subarray(0, taken);
        },
        cancel: async () => {
          rest = rest.subarray(rest.length);
        },
      };
    },
    write: async (file, bytes) => put(file, bytes.slice()),
    createUpload: async (file) => memoryUpload(partSize, (bytes) => put(file, bytes)),
    delete: async (gone) => {
      for (const file of gone) files.delete(nameOf(file));
    },
    deletePack: async (pack) => {
      for (const name of files.keys()) if (name.startsWith(`${pack}.`)) files.delete(name);
    },
  };
}

function memoryUpload(partSize: number, put: (bytes: Uint8Array<ArrayBuffer>) => void): PackUpload {
  const parts: Uint8Array[] = [];
  let closed = false;
  return {
    partSize,
    writePart: async (bytes) => {
      if (closed) throw new Error("the upload is over");
      parts.push(bytes.slice());
    },
    complete: async () => {
      closed = true;
      if (parts.length === 0) throw new Error("an upload needs a part");
      const last = parts.length - 1;
      for (const [index, part] of parts.entries()) {
        if (index < last ? part.length !== partSize : part.length > partSize)
          throw new Error(`part ${index} has a wrong size`);
      }
      put(new Uint8Array(Buffer.concat(parts)));
    },
    abort: async () => {
      closed = true;
      parts.length = 0;
    },
  };
}
