/**
 * Accounts for the memory that taking a pack in holds beside its kernel: the table of entries, part buffers, and what is read back.
 *
 * @packageDocumentation
 */
import type { BlockCache } from "../block-cache.ts";
import type { EntryTable } from "./entry-table.ts";
import { INGESTING } from "./ingest-policy.ts";
import type { PartBuffers } from "./part-buffers.ts";
import { STAGED_CACHE_BYTES } from "./staged-bytes.ts";
import type { StagedFile } from "./staged-file.ts";

/** The bytes that resolving takes for each entry. */
const RESOLVING_ENTRY_BYTES = 12;

/** What is accounted for, and where. */
export type IngestMemoryInput = {
  readonly entries: EntryTable;
  readonly buffers: PartBuffers;
  readonly cache: BlockCache;
  /** Told how many bytes more, or fewer, are held than before. */
  readonly hold: ((bytes: number) => void) | undefined;
};

/** The memory of one ingest. */
export class IngestMemory {
  readonly #input: IngestMemoryInput;
  #bytes = 0;

  constructor(input: IngestMemoryInput) {
    this.#input = input;
  }

  /** Accounts for a pack of which more has come. */
  received(file: StagedFile): void {
    this.#set(this.#least(file));
    // a pack that goes past memory needs more of it than what others may want again
    if (file.inMemory === undefined) this.#input.cache.trim(INGESTING.trimmedCacheBytes);
  }

  /** Accounts for what it takes to resolve deltas, too. */
  resolving(file: StagedFile): void {
    const read = Math.min(STAGED_CACHE_BYTES, file.length);
    this.#set(this.#least(file) + read + RESOLVING_ENTRY_BYTES * this.#input.entries.count);
  }

  /** Says that nothing is held any more. */
  end(): void {
    this.#set(0);
  }

  #least(file: StagedFile): number {
    const { entries, buffers } = this.#input;
    return INGESTING.chunkBytes + entries.byteLength + buffers.byteLength + file.ownBytes;
  }

  #set(bytes: number): void {
    if (bytes !== this.#bytes) this.#input.hold?.(bytes - this.#bytes);
    this.#bytes = bytes;
  }
}
