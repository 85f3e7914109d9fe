/**
 * Renames a repository: moves its rows to the object of the new name.
 *
 * ```text
 * note that it leaves → begin, rows, end at the other object → empty the tables here, and leave a forward
 * ```
 *
 * The object answers nobody meanwhile. If it dies, it asks the other one when it wakes how far they came: the repository
 * is there once the last step was done, and still here before. So it is never in both places, and never in none.
 *
 * @packageDocumentation
 */
import type { ArrivalAnswer, ArrivalStep, MoveAnswer } from "../../refs/forward.ts";
import type { MoveDatabase } from "./move-database.ts";

/** The object of the new name. */
export interface Arrival {
  arrive(step: ArrivalStep): Promise<ArrivalAnswer>;
}

/** Returns the tenant in a name, `{tenant}/{repo}`. */
function tenantIn(name: string): string {
  return name.slice(0, name.indexOf("/"));
}

/** Moves one object's repository. */
export class RepositoryMover {
  readonly #moves: MoveDatabase;
  readonly #open: (key: string) => Arrival;

  /** `open` returns the object of a name, `{tenant}/{repo}` in lower case. */
  constructor(moves: MoveDatabase, open: (key: string) => Arrival) {
    this.#moves = moves;
    this.#open = open;
  }

  /** Moves the repository `from` to the name `to`. If that fails, it stays. */
  async move(to: string, from: string): Promise<MoveAnswer> {
    const begun = this.#moves.begin(to);
    if (begun.kind !== "begun") return begun;
    const { id } = begun;
    const target = this.#open(to.toLowerCase());
    try {
      if ((await target.arrive({ id, kind: "begin" })) === "taken") {
        this.#moves.cancel();
        return { kind: "taken" };
      }
      for (const rows of this.#moves.rows()) await target.arrive({ id, kind: "rows", rows });
      const spelled = to === to.toLowerCase() ? null : to;
      const leavesTenant = tenantIn(from) !== tenantIn(to.toLowerCase());
      await target.arrive({ id, kind: "end", settings: this.#moves.settings(), spelled, leavesTenant });
    } catch (error) {
      // The last step may have been done although its answer was lost.
      if (!(await this.settle())) throw error;
      return { kind: "moved", id };
    }
    this.#moves.end();
    return { kind: "moved", id };
  }

  /** Ends a move that was interrupted, or calls it off. Returns whether the repository has moved. */
  async settle(): Promise<boolean> {
    const leaving = this.#moves.leaving();
    if (leaving === undefined) return false;
    const { id, to } = leaving;
    const hasArrived = (await this.#open(to.toLowerCase()).arrive({ id, kind: "cancel" })) === "arrived";
    if (hasArrived) this.#moves.end();
    else this.#moves.cancel();
    return hasArrived;
  }
}
