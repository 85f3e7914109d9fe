/**
 * Writes the twin of a catalog: the answer to a clone of everything, as it travels. See `catalog/clone-twin.ts`.
 *
 * @packageDocumentation
 */
import { concat, equal } from "../bytes/chunk.ts";
import { CorruptStore } from "../bytes/failure.ts";
import type { StreamingHash } from "../bytes/hash.ts";
import { packSet, TWIN_HEAD, type MadeTwin } from "../catalog/clone-twin.ts";
import type { PackStorage, PackUpload } from "../catalog/pack-storage.ts";
import { NO_FILTER } from "../graph/object-filter.ts";
import { objectFormat } from "../object/object-id.ts";
import { packObjects } from "../packing/pack-objects.ts";
import { isOfEverything, openFetchSession } from "../packing/pack-session.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import type { Repository } from "../repository/repository.ts";
import { FLUSH_PKT } from "../wire/pkt-line.ts";
import { BAND_DATA, SIDE_BAND_64K_PACKET_MAX, SIDE_BAND_HEADER_SIZE, writeSideBandHeader } from "../wire/side-band.ts";
import { PartWriter } from "./part-writer.ts";

const encoder = new TextEncoder();

/** Bytes that are collected before they are appended: one packet. */
const PACKET_BYTES = SIDE_BAND_64K_PACKET_MAX;

/** Frames a pack, in full packets, and checks that it ends with its hash. */
class TwinWriter {
  readonly #parts: PartWriter;
  readonly #hash: StreamingHash;
  readonly #packet = new Uint8Array(PACKET_BYTES);
  #used = SIDE_BAND_HEADER_SIZE;
  readonly #trailerBytes: number;
  /** The last bytes, which may be the trailer. They are not hashed yet. */
  #tail: Uint8Array = new Uint8Array(0);

  constructor(parts: PartWriter, hash: StreamingHash, trailerBytes: number) {
    this.#parts = parts;
    this.#hash = hash;
    this.#trailerBytes = trailerBytes;
  }

  async data(bytes: Uint8Array): Promise<void> {
    this.#note(bytes);
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + PACKET_BYTES - this.#used);
      this.#packet.set(piece, this.#used);
      this.#used += piece.length;
      at += piece.length;
      if (this.#used === PACKET_BYTES) await this.#flush();
    }
  }

  /** Ends the file. @throws CorruptStore if it is no pack. */
  async end(): Promise<void> {
    if (this.#used > SIDE_BAND_HEADER_SIZE) await this.#flush();
    if (!equal(this.#hash.digest(), this.#tail)) throw new CorruptStore("a stored pack does not end with its hash");
    await this.#parts.append(FLUSH_PKT);
    await this.#parts.end();
  }

  /** Hashes everything but the last bytes. */
  #note(bytes: Uint8Array): void {
    const ready = Math.max(0, this.#tail.length + bytes.length - this.#trailerBytes);
    const ofTail = Math.min(ready, this.#tail.length);
    this.#hash.update(this.#tail.subarray(0, ofTail));
    this.#hash.update(bytes.subarray(0, ready - ofTail));
    this.#tail = concat([this.#tail.subarray(ofTail), bytes.subarray(ready - ofTail)]);
  }

  async #flush(): Promise<void> {
    writeSideBandHeader(BAND_DATA, this.#used - SIDE_BAND_HEADER_SIZE, this.#packet, 0);
    await this.#parts.append(this.#packet.subarray(0, this.#used));
    this.#used = SIDE_BAND_HEADER_SIZE;
  }
}

/** Sends the pack of everything that a snapshot shows into a file. Returns the file's size in bytes. */
async function writeAll(repository: Repository, snapshot: OpenSnapshot, upload: PackUpload): Promise<number> {
  const { rawSize, name: format } = objectFormat(snapshot.record.objectFormat);
  const parts = new PartWriter(upload);
  await parts.append(encoder.encode(TWIN_HEAD));
  const twin = new TwinWriter(parts, repository.hash(format), rawSize);
  const session = await openFetchSession(repository, snapshot, { wants: new Uint8Array(0), isPlain: true });
  try {
    const options = { thinPack: false, ofsDelta: true, includeTag: false, filter: NO_FILTER, isFrugal: true };
    await packObjects(session, options, {
      data: async (bytes) => await twin.data(bytes),
      progress: async () => undefined,
    });
  } finally {
    session.close();
  }
  await twin.end();
  return parts.bytes;
}

/** Makes the file, and holds the memory of one part meanwhile. */
async function writeFile(
  repository: Repository,
  snapshot: OpenSnapshot,
  storage: PackStorage,
  name: string,
): Promise<number> {
  const { memory } = repository;
  const file = await storage.createUpload({ pack: name, extension: "twin" });
  memory.hold(file.partSize);
  try {
    return await writeAll(repository, snapshot, file);
  } catch (error) {
    await file.abort();
    throw error;
  } finally {
    memory.hold(-file.partSize);
  }
}

/**
 * Writes the twin of the packs that the catalog of repository `id` has now. Returns what the catalog is to take in;
 * `undefined` if the repository is gone, or if refs do not reach everything any more.
 *
 * @throws CorruptStore
 */
export async function writeTwin(repository: Repository, id: string, name: string): Promise<MadeTwin | undefined> {
  const snapshot = await repository.refs.open({ packs: true });
  if (snapshot.kind === "missing" || snapshot.record.id !== id || !isOfEverything(snapshot)) return undefined;
  const bytes = await writeFile(repository, snapshot, repository.storage(id), name);
  return { name, bytes, packs: packSet(snapshot.packs) };
}
