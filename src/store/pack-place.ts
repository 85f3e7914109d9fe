/**
 * Where packs lie, and what they are read with.
 *
 * @packageDocumentation
 */
import type { HashFactory } from "../bytes/hash.ts";
import type { Pacer } from "../bytes/pacer.ts";
import type { HelpingFile } from "../catalog/damaged-file.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import type { PackStorage } from "../catalog/pack-storage.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import type { BlockCache } from "./block-cache.ts";

/** The place where a pack lies. */
export type PackPlace = {
  readonly storage: PackStorage;
  /** The id of the repository under which the pack lies. It begins every cache key. */
  readonly scope: string;
  /** Is told of a file that only saves work and can't be used, so that maintenance makes it anew. */
  readonly noteDamage?: (pack: string, extension: HelpingFile) => void;
};

/** The account of the request that reads. */
export type ReadingMemory = {
  /** Counts bytes that are held or, if negative, are not held any more. */
  hold(bytes: number): void;
};

/** What files that lie beside packs are read with. */
export type ReadingTools = {
  readonly cache: BlockCache;
  readonly format: ObjectFormat;
  readonly hash: HashFactory;
  /** Counts what is held beside the cache. Without it, that is the caller's to count. */
  readonly memory?: ReadingMemory;
};

/** The context that all packs of a catalog share. */
export type PackContext = ReadingTools & {
  /** Counts the work of reading objects, so that the request yields to others in time. */
  readonly pacer: Pacer;
  /** Returns the place of a pack: a catalog may name packs that lie under another repository. */
  placeOf(record: PackRecord): PackPlace;
};
