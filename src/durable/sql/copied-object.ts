/**
 * A Durable Object that can be copied out as a whole, made anew from a copy, and put back to an earlier moment.
 *
 * What an object has in memory is of its tables as they were. So after a restore it is ended, and the next call makes it
 * anew: {@link CopiedObject.renew}.
 *
 * @packageDocumentation
 */
import { DurableObject } from "cloudflare:workers";
import type {
  CopiedPage,
  CopyPlace,
  InstallAnswer,
  RecoveryAnswer,
  StagedRepository,
  Whereabouts,
} from "../../access/object-copies.ts";
import { durableSql } from "./durable-sql.ts";
import { type CopiedKind, type KeptRows, ObjectCopy } from "./object-copy.ts";
import { type PointInTime, recoverTo } from "./point-in-time.ts";

/** An object of one kind. */
export abstract class CopiedObject<Env> extends DurableObject<Env> {
  readonly #copy: ObjectCopy;
  readonly #past: PointInTime;

  constructor(state: DurableObjectState, env: Env, kind: CopiedKind) {
    super(state, env);
    this.#copy = new ObjectCopy(durableSql(state.storage), kind);
    this.#past = state.storage;
  }

  /** See `ObjectCopies.exists`. */
  copyExists(): boolean {
    return this.#copy.exists && !this.#copy.isUnentered;
  }

  /** See `ObjectCopies.page`. */
  copyPage(place?: CopyPlace): CopiedPage {
    return this.#copy.page(place);
  }

  /** See `ObjectCopies.stage`. */
  stageCopy(piece: number, bytes: Uint8Array): void {
    this.#copy.staged.stage(piece, bytes);
  }

  /** See `ObjectCopies.staged`. */
  stagedCopy(): StagedRepository | undefined {
    return this.#copy.staged.repository();
  }

  /** See `ObjectCopies.discard`. */
  discardCopy(): void {
    this.#copy.staged.discard();
  }

  /** See `ObjectCopies.whereabouts`. */
  copyWhereabouts(id: string): Whereabouts {
    return this.#copy.whereabouts(id);
  }

  /** See `ObjectCopies.departed`. */
  copyDeparted(): string[] {
    return this.#copy.departed();
  }

  /** See `ObjectCopies.leaseStrays`. */
  leaseStrays(names: readonly string[]): void {
    this.#copy.leaseStrays(names);
    this.woken();
  }

  /** Returns the rows that a recovery must not take back; `undefined` if they are too many. */
  keptRows(): KeptRows[] | undefined {
    return this.#copy.keptRows();
  }

  /** See `ObjectCopies.install`. The caller has the object renewed. */
  installCopy(replace: boolean): InstallAnswer {
    return this.#copy.install(replace);
  }

  /** See `ObjectCopies.entered`. */
  copyEntered(): void {
    this.#copy.entered();
  }

  /** See `ObjectCopies.recover`. The caller has the object renewed, and then settled. */
  async recover(at: number): Promise<RecoveryAnswer> {
    return await recoverTo(this.#past, at, Date.now());
  }

  /** Puts kept rows back after a recovery, and says to the tables what holds no more. */
  settleCopy(kept: readonly KeptRows[]): void {
    this.#copy.settle(kept);
  }

  /** Has the object set its alarm for what is due by the tables that it was made from. */
  woken(): void {
    // Most objects do so when they are made.
  }

  /** Ends the object. The call fails with this; the next one is answered by an object that has read its tables anew. */
  renew(): void {
    this.ctx.abort("the object is made anew from its tables");
  }
}
