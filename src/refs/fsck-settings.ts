/**
 * A repository's settings for the checks of pushed objects.
 *
 * @packageDocumentation
 * @see `receive.fsck.<msg-id>` and `receive.fsck.skipList` in git-config(1)
 */
import { type FsckId, type FsckLeniency, HARMLESS } from "../object/fsck-rule.ts";

/** The findings of git's checks that a push may have. */
export type FsckSettings = {
  /** Whether harmless slips refuse a push. If not, they cause a warning. */
  readonly strict: boolean;
  /** Message ids of slips that pass without a warning, even in a strict repository. */
  readonly ignore: readonly string[];
  /** Full names of objects that are not checked. */
  readonly skip: readonly string[];
};

/** The settings of a new repository. */
export const DEFAULT_FSCK: FsckSettings = { strict: false, ignore: [], skip: [] };

/** The most objects that may be exempt from the checks. */
export const MOST_SKIPPED_OBJECTS = 1000;

/** Returns the leniency for a push under these settings. */
export function leniencyFor({ strict, ignore, skip }: FsckSettings): FsckLeniency {
  const ignored = new Set<FsckId>(HARMLESS.filter((id) => ignore.includes(id)));
  const warned = new Set<FsckId>(strict ? [] : HARMLESS.filter((id) => !ignored.has(id)));
  return { ignored, warned, skipped: new Set(skip) };
}

/** Whether a repository's settings can let findings of this message id pass, in every object. */
export function canBeIgnored(id: string): boolean {
  return HARMLESS.some((known) => known === id);
}
