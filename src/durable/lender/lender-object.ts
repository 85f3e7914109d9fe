/**
 * The Durable Object that keeps the loans of the packs below one prefix, addressed by the repository's id. It is not the
 * repository's own object, because it outlives the repository, and because the repository may be renamed. There is one
 * only for a repository that was forked.
 *
 * @packageDocumentation
 */
import { packPrefix } from "../../catalog/pack-keys.ts";
import type { Borrower, LoanNotice, LoanNoticeAnswer, LoanSettlement } from "../../refs/fork-store.ts";
import { objectNamed, type ObjectNamespace, type PlacementSettings } from "../placement.ts";
import { whileFailing } from "../repository/alarm-clock.ts";
import { CopiedObject } from "../sql/copied-object.ts";
import { durableSql } from "../sql/durable-sql.ts";
import { type DueNotice, LENDER_SCHEMA, LenderDatabase } from "./lender-database.ts";

/** The call of a lender to a borrower's object. It is an interface because that class calls this one. */
export interface BorrowerTold {
  noteLoans(notice: LoanNotice): Promise<LoanNoticeAnswer>;
}

/** The Worker's bindings that the object uses. */
export type LenderObjectEnv = PlacementSettings & {
  readonly BUCKET: R2Bucket;
  readonly REPOSITORIES: ObjectNamespace<BorrowerTold>;
};

/** Work is done this long after a change, so that changes close together share one alarm. Milliseconds. */
const ALARM_DELAY = 100;

/** The loans of one prefix. */
export class LenderObject extends CopiedObject<LenderObjectEnv> {
  readonly #database: LenderDatabase;

  constructor(state: DurableObjectState, env: LenderObjectEnv) {
    super(state, env, { kind: "lender", schema: LENDER_SCHEMA, settle: () => undefined });
    this.#database = new LenderDatabase(durableSql(state.storage));
  }

  override woken(): void {
    void this.#waking(undefined);
  }

  /** See `PackLender.lend`. */
  async lend(borrower: Borrower, packs: readonly string[]): Promise<boolean> {
    return await this.#waking(this.#database.lend(borrower, packs));
  }

  /** See `PackLender.relend`. */
  async relend(borrower: Borrower, packs: readonly string[]): Promise<boolean> {
    return await this.#waking(this.#database.relend(borrower, packs));
  }

  /** See `PackLender.doom`. */
  async doom(): Promise<string[]> {
    return await this.#waking(this.#database.doom());
  }

  /** See `PackLender.revive`. */
  async revive(packs: readonly string[]): Promise<void> {
    this.#database.revive(packs);
    await this.#waking(undefined);
  }

  /** Returns those of the packs that nobody borrows: the caller deletes their files. */
  async retire(packs: readonly string[]): Promise<string[]> {
    return await this.#waking(this.#database.retire(packs));
  }

  /** Returns how many packs a purge still waits for. */
  async purge(begins: boolean): Promise<number> {
    return await this.#waking(this.#database.purge(begins));
  }

  /** Notes what a borrower says of packs. */
  async settle(settlement: LoanSettlement): Promise<void> {
    this.#database.settle(settlement);
    await this.#waking(undefined);
  }

  /** Tells borrowers, and deletes the files of packs that nobody needs. */
  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    await whileFailing(
      info,
      () => this.#work(),
      (at) => this.ctx.storage.setAlarm(at),
    );
  }

  async #work(): Promise<void> {
    const now = Date.now();
    for (const due of this.#database.notices(now)) await this.#tell(due, now);
    for (const pack of this.#database.doomedPacks()) await this.#delete(pack);
    await this.#waking(undefined);
  }

  async #tell(due: DueNotice, now: number): Promise<void> {
    const { borrower } = due.notice;
    try {
      const answer = await objectNamed(this.env.REPOSITORIES, due.name, this.env).noteLoans(due.notice);
      if (answer.kind === "noted") this.#database.noticed(due);
      else if (answer.kind === "moved") this.#database.renamed(borrower, answer.to.toLowerCase());
      else this.#database.forget(borrower);
    } catch {
      // The object that failed logs the reason.
      this.#database.postpone(borrower, now);
    }
  }

  /** Deletes the files of a pack. With more than one page of them, the next alarm continues. */
  async #delete(pack: string): Promise<void> {
    const { objects, truncated } = await this.env.BUCKET.list({ prefix: packPrefix(this.#id, pack) });
    if (objects.length > 0) await this.env.BUCKET.delete(objects.map(({ key }) => key));
    if (!truncated) this.#database.packDeleted(pack);
  }

  /** The id of the repository whose prefix this is. */
  get #id(): string {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("addressed by id, not by name");
    return name;
  }

  /** Returns the result of a change, and sets the alarm for the work that is then due. */
  async #waking<Answer>(answer: Answer): Promise<Answer> {
    const now = Date.now();
    const due = this.#database.nextDue(now);
    if (due !== undefined) await this.ctx.storage.setAlarm(Math.max(due, now + ALARM_DELAY));
    return answer;
  }
}
