/**
 * Makes a fork: a repository that begins with the refs and the packs of another. No object is copied or read, so it
 * costs the same at any size but for the rows of the refs.
 *
 * ```text
 * snapshot of the parent, its tail published → note at the fork's name what is borrowed → lenders lend → the fork is made
 * ```
 *
 * The note comes before the loans. If the request ends in between, the packs are returned in an hour.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../catalog/pack-record.ts";
import type { Borrower, ForkStore, PackHome, PackLender } from "../refs/fork-store.ts";
import type { CreateRequest, OpenSnapshot, RefStore } from "../refs/ref-store.ts";
import type { CreateAnswer, RepositorySettings } from "../refs/repository-settings.ts";
import { allReachable } from "../repository/view.ts";
import { isPublished } from "./publish.ts";

/** The most prefixes that the packs of a fork may lie under: each is an object that has to lend them. */
export const MOST_LENDERS = 20;
/** Snapshots that are tried, where packs go away before they are lent, or pushes keep coming. */
const ATTEMPTS = 5;

/** The stores that a fork is made from and in. */
export type ForkPlaces = {
  /** The parent, as far as the caller may see it. */
  readonly parent: Pick<RefStore, "open">;
  /** Publishes the tail of the parent: a pack is lent where its files lie. */
  readonly flushTail: () => Promise<boolean>;
  readonly target: ForkStore & Pick<RepositorySettings, "create">;
  /** Opens the loans of a prefix. */
  readonly lender: (id: string) => PackLender;
};

/** The fork: what is not taken from its parent. */
export type NewFork = Pick<CreateRequest, "spelled" | "tenantHooks"> & {
  readonly borrower: Borrower;
  /** The parent: its name, `{tenant}/{repo}`, and its id, since another one may have the name by now. */
  readonly parent: { readonly id: string; readonly name: string };
};

/**
 * The answer. `missing`: the parent is gone. `unsettled`: something is stored in the parent that no ref reaches, and its
 * maintenance has not taken it out yet. `too-deep`: its packs lie under too many prefixes. `busy`: packs went away, again
 * and again.
 */
export type ForkAnswer =
  | Exclude<CreateAnswer, { readonly kind: "gone" } | { readonly kind: "stale" }>
  | { readonly kind: "gone" | "missing" | "unsettled" | "too-deep" | "busy" };

function lentPacks({ record, packs }: OpenSnapshot): PackRecord[] {
  return packs.map((pack) => ({ ...pack, loan: { home: pack.loan?.home ?? record.id, state: "lent" } }));
}

/** Returns the names of packs by the prefix that they lie under. */
function byHome(homes: readonly PackHome[]): Map<string, string[]> {
  const grouped = new Map<string, string[]>();
  for (const { pack, home } of homes) {
    const names = grouped.get(home) ?? [];
    grouped.set(home, names);
    names.push(pack);
  }
  return grouped;
}

async function tryFork(places: ForkPlaces, snapshot: OpenSnapshot, fork: NewFork): Promise<ForkAnswer> {
  const { target, lender } = places;
  const { record } = snapshot;
  const { parent, borrower, spelled, tenantHooks } = fork;
  const packs = lentPacks(snapshot);
  const homes = packs.flatMap(({ name, loan }) => (loan === undefined ? [] : [{ pack: name, home: loan.home }]));
  const grouped = byHome(homes);
  if (grouped.size > MOST_LENDERS) return { kind: "too-deep" };
  // Without the note nothing is borrowed, and `create` says what is in the way.
  const lending = (await target.prepareFork(borrower.id, homes)) ? [...grouped] : [];
  const lent = await Promise.all(lending.map(async ([home, names]) => await lender(home).lend(borrower, names)));
  if (lent.includes(false)) return { kind: "busy" };
  const made = await target.create({
    id: borrower.id,
    ...(spelled === undefined ? {} : { spelled }),
    ...(tenantHooks === undefined ? {} : { tenantHooks }),
    objectFormat: record.objectFormat,
    visibility: record.visibility,
    head: record.head,
    ...(record.headChosen === undefined ? {} : { headChosen: record.headChosen }),
    description: record.description,
    fork: {
      origin: { id: record.id, name: parent.name, isPublic: record.visibility === "public" },
      refs: snapshot.refs,
      packs,
    },
  });
  return made.kind === "stale" ? { kind: "busy" } : made;
}

/** Makes a fork. @throws LimitExceeded if the parent has more refs than one step takes. */
export async function forkRepository(places: ForkPlaces, fork: NewFork): Promise<ForkAnswer> {
  let answer: ForkAnswer = { kind: "busy" };
  for (let attempt = 0; attempt < ATTEMPTS && answer.kind === "busy"; attempt++) {
    const snapshot = await places.parent.open({ packs: true, refPrefixes: [], lends: true });
    if (snapshot.kind === "missing" || snapshot.record.id !== fork.parent.id) return { kind: "missing" };
    if (!isPublished(snapshot)) {
      await places.flushTail();
      continue;
    }
    if (!allReachable(snapshot)) return { kind: "unsettled" };
    answer = await tryFork(places, snapshot, fork);
  }
  return answer;
}
