/**
 * Moves a branch to what merges have made of it, by the steps of a push.
 *
 * @packageDocumentation
 */
import { expandRefName } from "../../object/ref-name.ts";
import type { AnsweredOnce } from "../../refs/ref-store.ts";
import type { RefRejection } from "../../refs/ref-update.ts";
import { type WriteExchange, type WriteOrder, WriteSession } from "../commit/write-session.ts";
import type { NewRecord } from "./commit-record.ts";
import { type ConflictReport, describeConflicts } from "./conflict-report.ts";
import { MergeRun } from "./merge-run.ts";
import type { MergeResult } from "../../merge/merge-trees.ts";

/** Tries of a caller that does not say where the branch has to be, while others move it. */
const MOST_TRIES = 4;

/** What a branch came to, or would come to. Names are hexadecimal. */
export type MovedBranch = {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  /** The full name. */
  readonly branch: string;
  readonly previous: string;
  /** The commits that were made, the oldest first. */
  readonly commits: readonly string[];
};

/** Conflicts, the commit that brought them, if there are several, and where the markers were committed, if they were. */
export type Conflicted = {
  readonly report: ConflictReport;
  readonly commit?: string;
  readonly materialised?: { readonly branch: string; readonly oid: string };
};

/** An answer that a later request with the same key gets, too. */
export type KeptOutcome = ({ readonly kind: "moved" } & MovedBranch) | ({ readonly kind: "conflicts" } & Conflicted);

/** How a request is done once. */
export type KeptOnce = {
  readonly key: string;
  readonly fingerprint: () => string;
  readonly answer: (outcome: KeptOutcome) => string;
};

/** What can't be built. `commit` is at fault. */
export type Unbuilt =
  | { readonly kind: "up-to-date" }
  | { readonly kind: "no-head" | "unrelated" | "not-forward" }
  | {
      readonly kind: "no-commit" | "nothing-changed" | "needs-mainline" | "no-such-parent";
      readonly commit: string;
    };

/** What came of an order. */
export type BranchOutcome =
  | KeptOutcome
  | Unbuilt
  | { readonly kind: "answered"; readonly answer: string }
  /** The key of the request was used for another one. */
  | { readonly kind: "other-request" }
  | { readonly kind: "stale"; readonly ref: string; readonly current: string | undefined }
  | { readonly kind: "no-branch" }
  | { readonly kind: "refused"; readonly ref: string; readonly why: RefRejection };

/** What is to be done with a branch. */
export type BranchOrder = {
  /** The full name of the branch. */
  readonly branch: string;
  readonly expectedHead?: string;
  /** Names of refs, or of commits, that are to be resolved. */
  readonly names: readonly string[];
  readonly isTrial: boolean;
  /** The full name of a branch that gets the conflict markers. */
  readonly materialise?: string;
  readonly once?: KeptOnce;
};

/** What a branch is to have; or a merge with conflicts, and the commit that it would be with its markers. */
export type Built =
  | {
      readonly kind: "built";
      readonly oid: string;
      readonly tree: string;
      readonly parents: readonly string[];
      readonly commits: readonly string[];
    }
  | { readonly kind: "conflicted"; readonly result: MergeResult; readonly marked: NewRecord; readonly commit?: string };

/** Makes what a branch is to have of where it is. */
export type Builder = (run: MergeRun, head: string) => Promise<Built | Unbuilt>;

/** Moves a branch. Nothing is stored unless the answer is `moved`, or conflicts were to be materialised. */
export async function writeBranch(exchange: WriteExchange, order: BranchOrder, build: Builder): Promise<BranchOutcome> {
  for (let tries = 1; ; tries++) {
    const outcome = await new BranchWriting(exchange, order, build).attempt();
    const mayTryAgain = outcome.kind === "stale" && outcome.ref === order.branch && order.expectedHead === undefined;
    if (!mayTryAgain || tries === MOST_TRIES) return outcome;
  }
}

class BranchWriting {
  readonly #exchange: WriteExchange;
  readonly #order: BranchOrder;
  readonly #build: Builder;

  constructor(exchange: WriteExchange, order: BranchOrder, build: Builder) {
    this.#exchange = exchange;
    this.#order = order;
    this.#build = build;
  }

  async attempt(): Promise<BranchOutcome> {
    const { branch, names, materialise, once } = this.#order;
    const session = await WriteSession.begin(this.#exchange, {
      names: [
        ...new Set([branch, ...names.flatMap(expandRefName), ...(materialise === undefined ? [] : [materialise])]),
      ],
      makesObjects: true,
      ...(once === undefined ? {} : { once: once.key }),
    });
    try {
      const { answered } = session.begun;
      if (answered !== undefined) return this.#repeated(answered);
      const head = session.valueOf(branch);
      if (head === undefined) return { kind: "no-branch" };
      return await this.#write(session, head);
    } finally {
      await session.end();
    }
  }

  async #write(session: WriteSession, head: string): Promise<BranchOutcome> {
    const { branch, expectedHead } = this.#order;
    if (expectedHead !== undefined && expectedHead !== head) return { kind: "stale", ref: branch, current: head };
    const run = await MergeRun.open(this.#exchange, session);
    try {
      const built = await this.#build(run, head);
      if (built.kind === "conflicted") return await this.#conflict(session, run, built);
      if (built.kind !== "built") return built;
      const { kind: _, ...made } = built;
      const moved = { kind: "moved", ...made, branch, previous: head } as const;
      return await this.#land(session, { name: branch, oldOid: head, newOid: made.oid }, moved);
    } finally {
      run.free();
    }
  }

  async #conflict(
    session: WriteSession,
    run: MergeRun,
    { result, marked, commit }: Extract<Built, { kind: "conflicted" }>,
  ): Promise<BranchOutcome> {
    const { materialise, isTrial } = this.#order;
    const report = await describeConflicts(run.source, result);
    const told = { kind: "conflicts", report, ...(commit === undefined ? {} : { commit }) } as const;
    if (materialise === undefined || isTrial) return told;
    const oid = await run.add(marked);
    const update = { name: materialise, oldOid: "0".repeat(session.format.hexSize), newOid: oid };
    return await this.#land(session, update, { ...told, materialised: { branch: materialise, oid } });
  }

  async #land(
    session: WriteSession,
    update: WriteOrder["updates"][number],
    outcome: KeptOutcome,
  ): Promise<BranchOutcome> {
    const { isTrial, once } = this.#order;
    const kept =
      once === undefined || isTrial
        ? {}
        : { once: { key: once.key, fingerprint: once.fingerprint(), answer: once.answer(outcome) } };
    const landed = await session.land({ updates: [update], atomic: true, isTrial, ...kept });
    if (landed.kind === "answered") return this.#repeated(landed.before);
    const [landing] = landed.outcomes;
    return landing?.kind === "rejected" ? refusal(update.name, landing.why) : outcome;
  }

  #repeated({ fingerprint, answer }: AnsweredOnce): BranchOutcome {
    return fingerprint === this.#order.once?.fingerprint() ? { kind: "answered", answer } : { kind: "other-request" };
  }
}

function refusal(ref: string, why: RefRejection): BranchOutcome {
  switch (why.kind) {
    case "stale":
    case "exists":
      return { kind: "stale", ref, current: why.current };
    case "missing-ref":
      return { kind: "stale", ref, current: undefined };
    default:
      return { kind: "refused", ref, why };
  }
}
