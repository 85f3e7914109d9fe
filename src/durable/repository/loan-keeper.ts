/**
 * Calls lenders for a repository: about packs of its own that it gives up while others borrow them, and about packs that
 * it has borrowed. The alarm does this. All calls may be made again.
 *
 * @packageDocumentation
 */
import type { LoanSettlement } from "../../refs/fork-store.ts";
import type { DueWork } from "./due-work.ts";
import type { ForkDatabase } from "./fork-database.ts";
import { sweepUploads } from "./sweep-uploads.ts";

/** The calls of a repository to a lender's object. It is an interface because that class calls this one's. */
export interface Lender {
  retire(packs: readonly string[]): Promise<string[]>;
  purge(begins: boolean): Promise<number>;
  settle(settlement: LoanSettlement): Promise<void>;
}

/** The loans of one repository. */
export class LoanKeeper {
  readonly #forks: ForkDatabase;
  readonly #open: (id: string) => Lender;

  /** `open` returns the lender of the prefix with this id. */
  constructor(forks: ForkDatabase, open: (id: string) => Lender) {
    this.#forks = forks;
    this.#open = open;
  }

  /**
   * Deletes the files of ended uploads and of replaced packs, but for those that are borrowed. `swept` is called with
   * each that is dealt with. Where the lender can't be asked, none is: all are due again.
   */
  async sweep(
    bucket: R2Bucket,
    due: Pick<DueWork, "id" | "expiredPacks">,
    swept: (pack: string) => void,
  ): Promise<void> {
    const { id, expiredPacks } = due;
    if (id === undefined || expiredPacks.length === 0) return;
    if (!this.#forks.lends) {
      await sweepUploads(bucket, due, swept);
      return;
    }
    const retired = await this.#retire(id, expiredPacks);
    if (retired === undefined) return;
    const free = new Set(retired);
    await sweepUploads(bucket, { id, expiredPacks: [...free] }, swept);
    // The lender deletes the others, once they are back.
    for (const pack of expiredPacks) if (!free.has(pack)) swept(pack);
  }

  /** Returns which packs nobody borrows; `undefined` if the lender fails: other work of the alarm does not wait for it. */
  async #retire(id: string, packs: readonly string[]): Promise<string[] | undefined> {
    try {
      return await this.#open(id).retire(packs);
    } catch {
      // The object that failed logs the reason.
      return undefined;
    }
  }

  /** Tells lenders what is due, and asks for the packs that a purge waits for. It does not throw: it tries again later. */
  async work(id: string | undefined, now: number): Promise<void> {
    try {
      for (const due of this.#forks.due(now)) {
        const { home, ...settlement } = due;
        await this.#open(home).settle(settlement);
        this.#forks.told(due);
      }
    } catch {
      // The object that failed logs the reason.
      this.#forks.postpone(now);
    }
    const purge = this.#forks.purgeDue(now);
    if (id === undefined || purge === undefined) return;
    let waiting: number | undefined;
    try {
      waiting = await this.#open(id).purge(purge === "begins");
    } catch {
      // As above.
    }
    this.#forks.purgeAsked(waiting, now);
  }
}
