/**
 * The pack of a push between its lease and its commit: it may be in the bucket, but is in no catalog yet.
 *
 * @packageDocumentation
 */
import type { RefStore } from "../refs/ref-store.ts";
import type { PackStorage } from "../catalog/pack-storage.ts";

/** A lease on the keys of one pack. */
export class StagedPack {
  /** The stem of the keys. */
  readonly name: string;
  readonly #refs: Pick<RefStore, "abandonPush">;
  readonly #storage: PackStorage;
  #isGone = false;

  constructor(name: string, refs: Pick<RefStore, "abandonPush">, storage: PackStorage) {
    this.name = name;
    this.#refs = refs;
    this.#storage = storage;
  }

  /**
   * Deletes what was written and gives the lease back; never throws. `written` is false if nothing can have been
   * written. It must not be called once a commit was asked for, unless the answer says that the pack was not kept: a
   * commit whose answer was lost may well have happened.
   */
  async discard(written = true): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    try {
      if (written) await this.#storage.deletePack(this.name);
      await this.#refs.abandonPush(this.name);
    } catch {
      // The lease is still there: the repository's alarm deletes the keys when it ends.
    }
  }
}
