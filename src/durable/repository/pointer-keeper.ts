/**
 * Keeps a mirror's pointer in the bucket true: writes it, and deletes it before anything is acknowledged that it would belie.
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

/** What is known of the pointer in the tables. */
export interface PointerTable {
  read(): PointerRow | undefined;
  write(row: PointerRow): void;
  clear(): void;
  /** Gives what the pointer is to say, where the repository still is that mirror in that version. */
  describe(snapshot: WrittenSnapshot): MirrorPointer | undefined;
}

/** The pointer of one repository. Writes and deletions follow each other, whatever requests come in between. */
export class PointerKeeper {
  readonly #bucket: R2Bucket;
  readonly #name: () => string;
  readonly #table: PointerTable;
  #last: Promise<unknown> = Promise.resolve();

  /** `name` gives `{tenant}/{repo}`. */
  constructor(bucket: R2Bucket, name: () => string, table: PointerTable) {
    this.#bucket = bucket;
    this.#name = name;
    this.#table = table;
  }

  /** Whether a pointer is there that has to go: a deletion failed, or was cut short. */
  get isOverdue(): boolean {
    return this.#table.read()?.doomed === true;
  }

  /** Points to a snapshot, unless the repository has moved on meanwhile. */
  async publish(snapshot: WrittenSnapshot): Promise<PublishAnswer> {
    return await this.#inTurn(async () => {
      const pointer = this.#table.describe(snapshot);
      if (pointer === undefined || this.isOverdue) return { published: false };
      const old = this.#table.read();
      // Noted first: what may be there has to be deleted one day.
      // -1 is no version.
      this.#table.write({ version: snapshot.version, previous: old?.version ?? -1, doomed: false });
      await this.#bucket.put(mirrorPointerKey(this.#name()), formatPointer(pointer));
      // -1 is no version.
      const retired = old?.previous ?? -1;
      return retired < 0 ? { published: true } : { published: true, retired };
    });
  }

  /** Deletes the pointer, where there may be one; gives whether there was. What it said is not acted on once this has settled. */
  async revoke(): Promise<boolean> {
    const row = this.#table.read();
    // As nearly always: there is none, and nothing is waited for.
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
    // One that fails tells whoever asked for it; the next has its turn.
    this.#last = turn.catch(() => undefined);
    return await turn;
  }
}
