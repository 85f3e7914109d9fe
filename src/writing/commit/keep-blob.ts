/**
 * Stores a blob by itself, as it comes, for commits of the next day to name. It lies beside the packs as the entry of a
 * pack, in no catalog: nobody reads it, and the sweep deletes it at the end of its lease. A commit that names it copies
 * the entry into its own pack, where it is inflated, hashed and checked like everything that is pushed.
 *
 * @packageDocumentation
 */
import { RunningAdler32 } from "../../bytes/adler32.ts";
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { LimitExceeded, ProtocolError } from "../../bytes/failure.ts";
import { toHex } from "../../bytes/hex.ts";
import type { PackUpload } from "../../catalog/pack-storage.ts";
import { encodeEntryHeader, entryHeaderBytes } from "../../format/pack-entry.ts";
import { objectFormat } from "../../object/object-id.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import { PIECE_BYTES, ZLIB_HEADER } from "../../packing/deflated-entry.ts";
import { StagedPack } from "../../packing/staged-pack.ts";
import type { KeptBlob, KeptBlobStore } from "../../refs/kept-blobs.ts";
import { checkStoredPack, limitsWith } from "../../repository/allowance.ts";
import { beginAdmitted, type Begun } from "../../service/push/begin-admitted.ts";
import { keptFile } from "./kept-file.ts";
import type { WriteExchange } from "./write-session.ts";

/** Random bytes of the name of the file. */
const NAME_BYTES = 20;
/** Steps per byte of a blob. */
const BYTE_STEPS = 8;

const encoder = new TextEncoder();

/** A blob that comes: its bytes, and how many they are. */
export type ComingBlob = { readonly source: ByteSource; readonly size: number };

/**
 * Stores a blob, and returns its name in hexadecimal; `undefined` if the repository keeps as many as it may.
 *
 * @throws ProtocolError if it does not have the bytes that were announced. Nothing is kept then.
 */
export async function keepBlob(
  exchange: WriteExchange,
  kept: KeptBlobStore,
  { source, size }: ComingBlob,
): Promise<string | undefined> {
  const { repository } = exchange;
  const pack = toHex(repository.random(NAME_BYTES));
  const begun = await beginAdmitted({ exchange, admission: { admit: exchange.admit } }, { names: [] }, pack);
  const staged = new StagedPack(pack, repository.refs, repository.storage(begun.record.id));
  try {
    await assertAllowed(exchange, begun, size);
    const blob = await new BlobWriter(exchange, begun, pack).write(source, size);
    const answer = await kept.keptBlobs({ kind: "keep", blob });
    if (answer.kind === "kept") return blob.oid;
  } catch (error) {
    await staged.discard();
    throw error;
  }
  await staged.discard();
  return undefined;
}

/** Refuses a blob that no commit could bring. @throws LimitExceeded */
async function assertAllowed(
  { repository, allowance }: WriteExchange,
  { record, packs, uploadBytes }: Begun,
  size: number,
) {
  const allowed = (await allowance?.()) ?? {};
  const { objectBytes } = limitsWith(allowed, repository.limits);
  if (size > objectBytes) throw new LimitExceeded("object-bytes", objectBytes, `a blob may have ${objectBytes} bytes`);
  checkStoredPack(allowed, { sizeBytes: record.sizeBytes + uploadBytes, packs }, { packBytes: size, indexBytes: 0 });
}

/** Writes one entry: deflated piece by piece, in parts as the bucket takes them. */
class BlobWriter {
  readonly #exchange: WriteExchange;
  readonly #begun: Begun;
  readonly #pack: string;
  #buffer = new Uint8Array(0);
  #used = 0;
  #bytes = 0;
  #upload: PackUpload | undefined;

  constructor(exchange: WriteExchange, begun: Begun, pack: string) {
    this.#exchange = exchange;
    this.#begun = begun;
    this.#pack = pack;
  }

  async write(source: ByteSource, size: number): Promise<KeptBlob> {
    const { memory, limits } = this.#exchange.repository;
    const held = limits.memoryPackBytes;
    await memory.claim({ bytes: held });
    try {
      this.#buffer = new Uint8Array(held);
      const oid = await this.#entry(source, size);
      await this.#finish();
      return { oid, pack: this.#pack, size, bytes: this.#bytes };
    } catch (error) {
      await this.#upload?.abort();
      throw error;
    } finally {
      memory.giveBack(held);
    }
  }

  async #entry(source: ByteSource, size: number): Promise<string> {
    const { hash, deflatePiece, pacer } = this.#exchange.repository;
    const running = hash(objectFormat(this.#begun.record.objectFormat).name);
    running.update(encoder.encode(`blob ${size}\0`));
    const header = new Uint8Array(entryHeaderBytes(size));
    encodeEntryHeader(TYPE_NUMBER.blob, size, header, 0);
    await this.#append(header);
    await this.#append(ZLIB_HEADER);
    const sum = new RunningAdler32();
    let left = size;
    let buffer = new Uint8Array(PIECE_BYTES);
    for (let piece = await source.read(buffer); piece.length > 0; piece = await source.read(buffer)) {
      left -= piece.length;
      if (left < 0) break;
      running.update(piece);
      sum.update(piece);
      await this.#append(deflatePiece(piece, false));
      buffer = new Uint8Array(piece.buffer);
      pacer.add(piece.length * BYTE_STEPS);
      await pacer.pace();
    }
    if (left !== 0) throw new ProtocolError("the body has another length than it says");
    await this.#append(deflatePiece(new Uint8Array(0), true));
    await this.#append(sum.digest());
    return toHex(running.digest());
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + this.#buffer.length - this.#used);
      this.#buffer.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used === this.#buffer.length) await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    const storage = this.#exchange.repository.storage(this.#begun.record.id);
    this.#upload ??= await storage.createUpload(keptFile(this.#pack));
    const { partSize } = this.#upload;
    for (let at = 0; at < this.#used; at += partSize) {
      await this.#upload.writePart(this.#buffer.subarray(at, Math.min(this.#used, at + partSize)));
    }
    this.#used = 0;
  }

  async #finish(): Promise<void> {
    const storage = this.#exchange.repository.storage(this.#begun.record.id);
    if (this.#upload === undefined) {
      await storage.write(keptFile(this.#pack), this.#buffer.subarray(0, this.#used));
      return;
    }
    await this.#flush();
    await this.#upload.complete();
  }
}
