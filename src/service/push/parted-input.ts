/**
 * A request whose bytes come from several places: the first lines from a body, the rest from the parts of an upload, in
 * order.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { CorruptStore, ProtocolError } from "../../bytes/failure.ts";
import type { PackByteStream, PackFile, PackStorage } from "../../catalog/pack-storage.ts";

/** A part of an upload, stored in the bucket. */
export type StoredPart = { readonly number: number; readonly bytes: number };

/** Returns the file of a part. */
export function partFile(upload: string, number: number): PackFile {
  return { pack: upload, extension: `part-${number}` };
}

/** Reads `head` to its end and then each part. One part is open at a time. */
export class PartedInput implements ByteSource {
  readonly #head: ByteSource;
  readonly #storage: Pick<PackStorage, "openStream">;
  readonly #upload: string;
  readonly #parts: readonly StoredPart[];
  /** The index of the part that is open or comes next; `undefined` while the head is being read. */
  #at: number | undefined;
  #open: PackByteStream | undefined;

  constructor(
    head: ByteSource,
    storage: Pick<PackStorage, "openStream">,
    { name, parts }: { readonly name: string; readonly parts: readonly StoredPart[] },
  ) {
    this.#head = head;
    this.#storage = storage;
    this.#upload = name;
    this.#parts = parts;
  }

  /**
   * See {@link ByteSource.read}.
   *
   * @throws ProtocolError if a part is gone: its sender has ended the upload, or completed it twice.
   */
  async read(buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    let free = buffer;
    if (this.#at === undefined) {
      const bytes = await this.#head.read(free);
      if (bytes.length > 0) return bytes;
      free = new Uint8Array(bytes.buffer);
      this.#at = 0;
    }
    for (;;) {
      const part = this.#parts[this.#at];
      if (part === undefined) return free.subarray(0, 0);
      this.#open ??= await this.#openPart(part);
      const bytes = await this.#open.read(free);
      if (bytes.length > 0) return bytes;
      free = new Uint8Array(bytes.buffer);
      this.#open = undefined;
      this.#at += 1;
    }
  }

  /** See {@link ByteSource.skip}. Stored parts are forgotten without being read. */
  async skip(): Promise<void> {
    this.#at = this.#parts.length;
    await this.#open?.cancel();
    this.#open = undefined;
  }

  async #openPart({ number, bytes }: StoredPart): Promise<PackByteStream> {
    try {
      return await this.#storage.openStream(partFile(this.#upload, number), 0, bytes);
    } catch (cause) {
      if (cause instanceof CorruptStore) throw new ProtocolError(`part ${number} of the upload is gone`, { cause });
      throw cause;
    }
  }
}
