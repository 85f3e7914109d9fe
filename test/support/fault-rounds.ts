/**
 * Runs journeys in which one operation of storage goes wrong, and holds what comes of it against what was promised.
 *
 * @packageDocumentation
 */
import { SOON, SWEPT, type FaultBed } from "./fault-bed.ts";
import { FaultClient, type Outcome, type Refs } from "./fault-client.ts";
import { type CountedOperation, FAULT_KINDS, type FaultPlan, isPossible } from "./fault-plan.ts";
import type { FaultReferee } from "./fault-referee.ts";

/** One repository, of which one journey is made. */
export type Round = {
  readonly bed: FaultBed;
  readonly referee: FaultReferee;
  /** `{tenant}/{repo}`. It is empty. */
  readonly path: string;
  readonly client: FaultClient;
};

/** What a client does, and what then has to be so. */
export type Act = {
  /** Does it, or finds that it is done: a client that was told of a failure does it again. */
  readonly act: () => Promise<Outcome>;
  /** Looks at what came of it. `done`: the client was told that it is done, or else it may be or not. @throws if it is neither. */
  readonly check: (done: boolean) => Promise<void>;
  /** Looks at what has to be so once all that follows is done, where the client was told that it is done. */
  readonly swept?: () => Promise<void>;
  /** The repositories that there may be in the end; the round's own if absent. */
  readonly paths?: readonly string[];
};

/** A journey. `prepare` makes what it begins with; nothing goes wrong meanwhile. */
export type Journey = {
  readonly name: string;
  /** Whether each round has a tenant of its own: a tenant has each object of Git LFS once. */
  readonly isApart?: boolean;
  readonly prepare: (round: Round) => Promise<Act>;
};

/** The operations of a journey without a fault, and how many of them came before the client's answer. */
type Recorded = { readonly operations: readonly CountedOperation[]; readonly before: number };

/** What went wrong that must not. */
export type Broken = { readonly journey: string; readonly fault: string; readonly why: string };

/** Makes the rounds of one host. */
export class FaultRounds {
  readonly #bed: FaultBed;
  readonly #referee: FaultReferee;
  readonly broken: Broken[] = [];
  /** The operations of the journeys without faults, the faults that came about, and what clients were told. */
  readonly figures = { operations: 0, injected: 0, told: 0, done: 0 };
  #rounds = 0;

  constructor(bed: FaultBed, referee: FaultReferee) {
    this.#bed = bed;
    this.#referee = referee;
  }

  /** Makes a journey without a fault. Gives the operations that may go wrong. */
  async record(journey: Journey): Promise<Recorded> {
    const act = await this.#begin(journey);
    await this.#bed.arm();
    const outcome = await act.act();
    if (outcome.kind !== "done") throw new Error(`${journey.name} fails by itself: ${JSON.stringify(outcome)}`);
    const before = (await this.#bed.counted()).operations.length;
    await this.#bed.settle(SWEPT);
    const { operations } = await this.#bed.counted();
    await this.#bed.arm();
    await this.#judge(act, true);
    this.figures.operations += operations.length;
    return { operations, before };
  }

  /** Makes a journey with a fault, and notes what is wrong with what came of it. */
  async round(journey: Journey, plan: FaultPlan, name: string): Promise<void> {
    this.#bed.logged.length = 0;
    try {
      await this.#faulty(journey, plan);
    } catch (error) {
      const logged = this.#bed.logged.slice(-3).join("\n");
      const fault = `${plan.kind} at ${plan.at}, ${name}`;
      this.broken.push({ journey: journey.name, fault, why: `${(error as Error).message.slice(0, 1500)}\n${logged}` });
      await this.#bed.arm();
    }
  }

  async #begin(journey: Journey): Promise<Act> {
    this.#rounds += 1;
    const tenant = journey.isApart === true ? `apart-${this.#rounds}` : "acme";
    const path = `${tenant}/round-${this.#rounds}`;
    const client = new FaultClient(this.#bed, path);
    await this.#bed.arm();
    await this.#bed.sure("PUT", `/tenants/${tenant}`);
    const act = await journey.prepare({ bed: this.#bed, referee: this.#referee, path, client });
    await this.#bed.settle(SOON);
    return { paths: [path], ...act };
  }

  async #faulty(journey: Journey, plan: FaultPlan): Promise<void> {
    const act = await this.#begin(journey);
    await this.#bed.arm(plan);
    const outcome = await act.act();
    if (outcome.kind === "broken") throw new Error(`the client is left alone: ${outcome.why}`);
    if (outcome.kind === "told") assertTrue(outcome.words, plan);
    this.figures[outcome.kind] += 1;
    const isEarly = await this.#isInjected();
    const isDone = outcome.kind === "done";
    await act.check(isDone);
    // Some clients try again at once, some a little later, and some give up.
    const habit = (plan.at + FAULT_KINDS.indexOf(plan.kind)) % 3;
    if (!isDone && habit === 0) await this.#again(act);
    await this.#bed.settle(isDone ? SWEPT : SOON);
    if (isEarly || (await this.#isInjected())) this.figures.injected += 1;
    await this.#bed.arm();
    if (!isDone && habit === 1) await this.#again(act);
    if (!isDone) await this.#bed.settle(SWEPT);
    await this.#judge(act, isDone || habit !== 2);
  }

  async #isInjected(): Promise<boolean> {
    return (await this.#bed.counted()).injected;
  }

  /** Does it once more, without a fault. */
  async #again(act: Act): Promise<void> {
    await this.#bed.arm();
    const outcome = await act.act();
    if (outcome.kind !== "done") throw new Error(`it can't be done again: ${JSON.stringify(outcome)}`);
    await act.check(true);
  }

  /** Looks at everything, when nothing is due any more. */
  async #judge({ paths = [], check, swept }: Act, done: boolean): Promise<void> {
    await check(done);
    if (done) await swept?.();
    for (const path of paths) {
      const found = await this.#bed.api("GET", `/repos/${path}`);
      if (found.kind === "whole" && found.status !== 200) continue;
      await this.#referee.bucket(path, await this.#referee.clone(path));
    }
  }
}

/** @throws Error if what a client was told says more than that storage failed: nothing that is stored was damaged. */
function assertTrue(words: string, { kind }: FaultPlan): void {
  // Of what ends early nobody can know better.
  if (kind !== "cut" && /corrupt|is gone|missing/i.test(words))
    throw new Error(`the client is told what is not so: ${words}`);
}

/** Returns the faults that operations can have, of these kinds. */
export function plansOf(
  operations: readonly CountedOperation[],
  kinds: readonly FaultPlan["kind"][] = FAULT_KINDS,
): { plan: FaultPlan; name: string }[] {
  return kinds.flatMap((kind) =>
    operations.flatMap((operation, index) =>
      isPossible(kind, operation) ? [{ plan: { kind, at: index + 1 }, name: operation.name }] : [],
    ),
  );
}

/** Checks that refs are as they were or as they were to become, and nothing between. */
export async function checkRefs(
  { referee, path }: Round,
  { before, after }: { readonly before: Refs; readonly after: Refs },
  done: boolean,
): Promise<void> {
  const text = (refs: Refs): string =>
    JSON.stringify(Object.entries(refs).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  const now = text(await referee.refs(path));
  if (now === text(after) || (!done && now === text(before))) return;
  throw new Error(`${done ? "what was acknowledged is not there" : "half of it is there"}: ${now}, not ${text(after)}`);
}
