/**
 * Compares a mirror's refs with its upstream's, as its refspecs map them.
 *
 * @packageDocumentation
 */
import { checkRefFormat } from "../object/ref-name.ts";
import type { LeftOut } from "../refs/mirror-store.ts";
import { decodeRefRows, type RefRow } from "../refs/ref-rows.ts";
import { LeftOutRefs, reasonAgainst } from "./left-out.ts";
import { compareRefs, type RefDifference, RefList, type SortedRefs } from "./ref-comparison.ts";
import { KEPT, mapRef, parseRefspec, type Refspec, refPrefixes } from "./refspec.ts";
import type { SyncBegun, UpstreamClient } from "./sync-input.ts";
import { UpstreamFailure } from "./upstream.ts";

const BRANCHES = "refs/heads/";

/** The differences of an upstream and its mirror. */
export type UpstreamDifferences = {
  /** The refs that differ, in the order of their names. */
  readonly differences: readonly RefDifference[];
  /** The branch that HEAD must point to from now on; `undefined` if HEAD stays. */
  readonly head: string | undefined;
  /** The refs that the refspecs take and that can't be here; `undefined` if there are none. */
  readonly leftOut: LeftOut | undefined;
};

/** Lists the upstream's refs and compares them. @throws UpstreamFailure if the upstream has none of them any more. */
export async function listDifferences(
  { input, begun }: SyncBegun,
  client: UpstreamClient,
): Promise<UpstreamDifferences> {
  const { record, refs } = begun.snapshot;
  const refspecs = begun.settings.refspecs.flatMap((text) => parseRefspec(text) ?? []);
  const { limits, pacer } = input.repository;
  const listed = new RefList(client.format, limits.refs);
  const leftOut = new LeftOutRefs();
  const upstreamHead = await client.listRefs(refPrefixes(refspecs), ({ name, oid }) => {
    const mapped = mapRef(refspecs, name);
    const against = mapped === undefined ? undefined : reasonAgainst(mapped);
    if (against !== undefined) leftOut.add(name, against);
    else if (mapped !== undefined) listed.add(mapped, oid);
  });
  const theirs = await listed.sorted(pacer);
  const head = newHead(upstreamHead, refspecs, theirs, record.head);
  const ours = followed(decodeRefRows(refs, client.format.rawSize));
  const differences = await compareRefs(ours, theirs, pacer);
  if (differences.length > 0 && theirs.length === 0) {
    throw new UpstreamFailure("The upstream has none of the mirror's refs any more.");
  }
  for (const name of theirs.repeated()) leftOut.add(name, "taken");
  return { differences, head, leftOut: leftOut.summary };
}

/** Leaves out the refs that no upstream has: those under `refs/kept/`. */
function* followed(rows: Iterable<RefRow>): Generator<RefRow> {
  for (const row of rows) if (!row.name.startsWith(KEPT)) yield row;
}

/**
 * Returns the branch that HEAD must point to from now on: the upstream's, even if it is unborn. If HEAD is detached, or
 * its branch is not taken, HEAD stays on a branch that exists, or moves to one.
 */
function newHead(
  upstreamHead: string | undefined,
  refspecs: readonly Refspec[],
  theirs: SortedRefs,
  current: string,
): string | undefined {
  const mapped = upstreamHead === undefined ? undefined : mapRef(refspecs, upstreamHead);
  const head = mapped?.startsWith(BRANCHES) === true && checkRefFormat(mapped) ? mapped : stayingHead(theirs, current);
  return head === current ? undefined : head;
}

/**
 * Returns the present branch if it exists. Otherwise it is `main` or `master` if there is one, as git guesses, or else
 * the first branch.
 */
function stayingHead(theirs: SortedRefs, current: string): string | undefined {
  if (theirs.has(current)) return current;
  const usual = ["refs/heads/main", "refs/heads/master"].find((name) => theirs.has(name));
  return usual ?? theirs.firstBelow(BRANCHES);
}
