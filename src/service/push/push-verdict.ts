/**
 * The outcome of each command of a push while it is worked out. An update may be refused early, because of its new
 * value, or by the ref store in the end. An update without an outcome is still in the running.
 *
 * @packageDocumentation
 * @see builtin/receive-pack.c `execute_commands()`
 */
import { itemAt } from "../../bytes/assert.ts";
import type { Pacer } from "../../bytes/pacer.ts";
import { type Pusher, takesTooLong } from "../../refs/ref-policy.ts";
import { createdDirectories, namedRefState, planInParts } from "../../refs/ref-plan.ts";
import type { RepositoryRecord } from "../../refs/ref-store.ts";
import type { RefOutcome, RefRejection, RefUpdate } from "../../refs/ref-update.ts";
import type { PushRequest } from "./push-request.ts";

/** The state of the repository when a push begins. */
type BegunPush = { readonly record: RepositoryRecord; readonly current: readonly string[] };

/** The outcomes of a push, by update. */
export class PushVerdict {
  /** The updates as they are known so far; see {@link learn}. */
  readonly updates: RefUpdate[];
  readonly #outcomes: (RefOutcome | undefined)[];
  readonly #atomic: boolean;
  readonly #validNames: readonly boolean[];

  constructor(request: Pick<PushRequest, "updates" | "atomic" | "validNames">) {
    this.updates = [...request.updates];
    this.#outcomes = request.updates.map(() => undefined);
    this.#atomic = request.atomic;
    this.#validNames = request.validNames;
  }

  /** The indexes of the updates that are not refused. In an atomic push one refused update refuses all. */
  get running(): number[] {
    const open = [...this.updates.keys()].filter((index) => this.#outcomes[index] === undefined);
    return this.#atomic && open.length < this.updates.length ? [] : open;
  }

  /** Refuses one update. */
  reject(index: number, why: RefRejection): void {
    const name = itemAt(this.updates, index).name;
    this.#outcomes[index] = { name, kind: "rejected", why };
  }

  /** Refuses every update, whatever its outcome was before. */
  rejectAll(why: RefRejection): void {
    for (const index of this.updates.keys()) this.reject(index, why);
  }

  /** Records what was found out about an update. */
  learn(index: number, found: Pick<RefUpdate, "forward"> & { readonly peeled?: string }): void {
    const update = this.updates[index];
    if (update !== undefined) this.updates[index] = { ...update, ...found };
  }

  /**
   * Refuses the updates that fail whatever the pack brings: a name that no ref may have, a ref that has moved on, a
   * deletion of the current branch. `current` has the values of all updates' refs, in the updates' order. A push with
   * more names than can be compared with the rules, or with more directories than can be looked at, is refused whole.
   */
  async refuseDoomed(
    begun: BegunPush,
    by: { readonly pusher: Pusher; readonly signed: boolean },
    pacer: Pacer,
  ): Promise<void> {
    const { record, current } = begun;
    const validNames = this.#validNames;
    for (const [index, valid] of validNames.entries()) if (!valid) this.reject(index, { kind: "bad-name" });
    const indexes = [...this.updates.keys()].filter((index) => validNames[index] === true);
    const updates = indexes.flatMap((index) => this.updates[index] ?? []);
    const state = namedRefState(
      updates.map(({ name }) => name),
      indexes.map((index) => itemAt(current, index)),
    );
    // Each update is refused by itself, also in an atomic push: `running` and `outcomes` extend one refusal to all.
    const { head, readOnly, rules } = record;
    if (takesTooLong(rules, updates)) return this.rejectAll({ kind: "too-many-for-rules" });
    if ((await pacer.finish(createdDirectories(updates))) === undefined)
      return this.rejectAll({ kind: "too-many-directories" });
    const policy = { head, readOnly, rules, ...by, atomic: false, forwardKnown: false };
    const outcomes = await pacer.finish(planInParts(updates, policy, state));
    for (const [at, outcome] of outcomes.entries()) {
      const index = indexes[at];
      if (outcome.kind === "rejected" && index !== undefined) this.reject(index, outcome.why);
    }
  }

  /** Records the ref store's outcomes of the updates that were running, in their order. */
  settle(running: readonly number[], outcomes: readonly RefOutcome[]): void {
    for (const [at, index] of running.entries()) this.#outcomes[index] = outcomes[at];
  }

  /** The outcome of every update, in order. An update still without one failed with the others of an atomic push. */
  get outcomes(): RefOutcome[] {
    return this.updates.map(
      ({ name }, index): RefOutcome => this.#outcomes[index] ?? { name, kind: "rejected", why: { kind: "atomic" } },
    );
  }
}
