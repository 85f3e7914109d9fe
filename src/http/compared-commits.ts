/**
 * The two commits that `{a}...{b}` names.
 *
 * @packageDocumentation
 */
import type { BrowseSession, Unanswered } from "../browse/browse-session.ts";
import { resolveCommit } from "../browse/revision.ts";
import type { RevisionSyntax } from "../browse/revision-syntax.ts";
import { comparedRevisions, requestedRevision } from "./content-address.ts";

/** Two commits that a path names, raw. */
export type NamedCommits = { readonly kind: "found"; readonly from: Uint8Array; readonly to: Uint8Array };

/** Parses `{a}...{b}`. @throws Problem */
export function requestedComparison(text: string): readonly [RevisionSyntax, RevisionSyntax] {
  const [left, right] = comparedRevisions(text);
  return [requestedRevision(left), requestedRevision(right)];
}

/** Looks both commits up. */
export async function resolveComparison(
  session: BrowseSession,
  [left, right]: readonly [RevisionSyntax, RevisionSyntax],
): Promise<NamedCommits | Unanswered> {
  const from = await resolveCommit(session, left);
  const to = await resolveCommit(session, right);
  if (from.kind !== "found") return from;
  return to.kind === "found" ? { kind: "found", from: from.name, to: to.name } : to;
}
