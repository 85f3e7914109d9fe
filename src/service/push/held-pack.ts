/**
 * Holds back what a push writes: the files of a pack that is small enough for the tail stay in memory, and are committed
 * with the refs. A pack that turns out to be larger is written after all, once its keys are leased.
 *
 * @packageDocumentation
 */
import { ObjectRejected } from "../../bytes/failure.ts";
import type { PackFile, PackStorage, PackUpload } from "../../catalog/pack-storage.ts";
import { TAIL } from "../../catalog/tail.ts";
import { StagedPack } from "../../packing/staged-pack.ts";
import type { Repository } from "../../repository/repository.ts";
import type { IngestedPack } from "../../store/ingest/ingest-pack.ts";
import type { PushExchange } from "../exchange.ts";
import type { Begun } from "./begin-admitted.ts";

/** What the repository's object has granted to a push. */
export type HeldGrant = {
  /** The bytes that the pack may have; 0 if nothing is held back. */
  readonly room: number;
  /** Leases the keys of the pack; absent if they are leased already. Returns false if the repository is gone. */
  readonly lease?: (() => Promise<boolean>) | undefined;
};

/** The storage of one push. What is held of it can be read back by nobody: see {@link HeldPack.bytes}. */
export class HeldPack implements PackStorage {
  readonly #storage: PackStorage;
  readonly #grant: HeldGrant;
  /** The files that are held, in the order in which they came; `undefined` once files are written as they come. */
  #held: Map<PackFile, Uint8Array> | undefined;
  #leased: Promise<void> | undefined;

  constructor(storage: PackStorage, grant: HeldGrant) {
    this.#storage = storage;
    this.#grant = grant;
    this.#held = grant.room > 0 ? new Map() : undefined;
    this.#leased = grant.lease === undefined ? Promise.resolve() : undefined;
  }

  /** Whether the keys of the pack are leased. */
  get isLeased(): boolean {
    return this.#leased !== undefined;
  }

  /** The bytes of the pack, if all of its files are held. */
  get bytes(): Uint8Array | undefined {
    for (const [{ extension }, bytes] of this.#held ?? []) if (extension === "pack") return bytes;
    return undefined;
  }

  async read(file: PackFile, offset: number, length: number): ReturnType<PackStorage["read"]> {
    return await this.#storage.read(file, offset, length);
  }

  async openStream(file: PackFile, offset: number, length: number): ReturnType<PackStorage["openStream"]> {
    return await this.#storage.openStream(file, offset, length);
  }

  async write(file: PackFile, bytes: Uint8Array): Promise<void> {
    if (this.#held !== undefined && this.#fits(file, bytes)) {
      this.#held.set(file, bytes.slice());
      return;
    }
    await this.flush();
    await this.#storage.write(file, bytes);
  }

  /** Whether a file is one that the row of a small pack stands for. */
  #fits({ extension }: PackFile, { length }: Uint8Array): boolean {
    if (extension === "pack") return length <= this.#grant.room;
    return extension === "rev" || (extension === "idx" && length <= TAIL.indexBytes);
  }

  /** Writes what is held, as the pack is not to go into the tail. */
  async flush(): Promise<void> {
    await (this.#leased ??= this.#lease());
    const held = this.#held;
    this.#held = undefined;
    for (const [file, bytes] of held ?? []) await this.#storage.write(file, bytes);
  }

  async #lease(): Promise<void> {
    if ((await this.#grant.lease?.()) === false) throw new ObjectRejected("the repository was deleted");
  }

  async createUpload(file: PackFile): Promise<PackUpload> {
    await this.flush();
    return await this.#storage.createUpload(file);
  }

  async delete(files: readonly PackFile[]): Promise<void> {
    if (this.#held === undefined) await this.#storage.delete(files);
  }

  async deletePack(pack: string): Promise<void> {
    if (this.#held === undefined) await this.#storage.deletePack(pack);
    this.#held?.clear();
  }
}

/** Whether a push may be small enough for the tail: all that its request brings is no larger than a pack of it. */
export function mayBeSmall({ bodyBytes, upload }: Pick<PushExchange, "bodyBytes" | "upload">): boolean {
  return upload === undefined && bodyBytes !== undefined && bodyBytes <= TAIL.packBytes;
}

/** A pack on its way in, and what is held of it. */
export type ComingPush = { readonly staged: StagedPack; readonly held: HeldPack };

/** Opens the storage of a push's pack as the repository's object has granted it. */
export function holdPack(
  { refs, storage }: Pick<Repository, "refs" | "storage">,
  { record: { id }, tailRoom, unleased }: Begun,
  packName: string,
): ComingPush {
  const held = new HeldPack(storage(id), {
    room: tailRoom ?? 0, // The object grants none.
    lease: unleased === true ? () => refs.leasePacks(id, [packName]) : undefined,
  });
  const leases = {
    abandonPush: async (name: string) => {
      if (held.isLeased) await refs.abandonPush(name);
    },
  };
  return { staged: new StagedPack(packName, leases, held), held };
}

/** Returns the pack with its bytes in its record, if all of it is held: it then goes into the tail. */
export function withTail(pack: IngestedPack, { bytes }: HeldPack): IngestedPack {
  return bytes === undefined ? pack : { ...pack, record: { ...pack.record, tail: bytes } };
}
