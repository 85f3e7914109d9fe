/**
 * Keeps a mirror's pointer in the bucket true. It writes the pointer, and deletes it before any change is acknowledged
 * that would make it false.
 *
 * @packageDocumentation
 */
import {
  formatPointer,
  type MirrorPointer,
  mirrorPointerKey,
  type PublishAnswer,
  type WrittenSnapshot,
} from "../../refs/mirror-pointer.ts";
import type { PointerRow } from "./tables/mirror-pointer.ts";

/** The tables' knowledge of the pointer. */
export interface PointerTable {
  read(): PointerRow | undefined;
  write(row: PointerRow): void;
  clear(): void;
  /** Returns the content of the pointer, if the repository still is that mirror in that version. */
  describe(snapshot: WrittenSnapshot): MirrorPointer | undefined;
}

/** The pointer of one repository. Writes and deletions follow each other, whatever requests come in between. */
export class PointerKeeper {
  readonly #bucket: R2Bucket;
  readonly #name: () => string;
  readonly #table: PointerTable;
  #last: Promise<unknown> = Promise.resolve();

  /** `name` returns `{tenant}/{repo}`. */
  constructor(bucket: R2Bucket, name: () => string, table: PointerTable) {
    this.#bucket = bucket;
    this.#name = name;
    this.#table = table;
  }

  /** Whether there is a pointer that has to go: its deletion failed, or was interrupted. */
  get isOverdue(): boolean {
    return this.#table.read()?.doomed === true;
  }

  /** Points to a snapshot, unless the repository has moved on meanwhile. */
  async publish(snapshot: WrittenSnapshot): Promise<PublishAnswer> {
    return await this.#inTurn(async () => {
      const pointer = this.#table.describe(snapshot);
      if (pointer === undefined || this.isOverdue) return { published: false };
      const old = this.#table.read();
      // It is noted first: a pointer that may be there has to be deleted one day. -1 is no version.
      this.#table.write({ version: snapshot.version, previous: old?.version ?? -1, doomed: false });
      await this.#bucket.put(mirrorPointerKey(this.#name()), formatPointer(pointer));
      // -1 is no version.
      const retired = old?.previous ?? -1;
      return retired < 0 ? { published: true } : { published: true, retired };
    });
  }

  /**
   * Deletes the pointer, if there may be one. Returns whether there was. Once this has settled, no reader acts on what
   * the pointer said.
   */
  async revoke(): Promise<boolean> {
    const row = this.#table.read();
    // This is the usual case: there is no pointer, and nothing to wait for.
    if (row === undefined) return false;
    this.#table.write({ ...row, doomed: true });
    await this.#inTurn(async () => {
      await this.#bucket.delete(mirrorPointerKey(this.#name()));
      this.#table.clear();
    });
    return true;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    // A failure is reported to its own caller; the next in turn still runs.
    this.#last = turn.catch(() => undefined);
    return await turn;
  }
}
