/**
 * What a repository's settings say about the checks of what is pushed to it.
 *
 * @packageDocumentation
 * @see `receive.fsck.<msg-id>` and `receive.fsck.skipList` in git-config(1)
 */
import { type FsckId, type FsckLeniency, HARMLESS } from "../object/fsck-rule.ts";

/** What of git's checks is let pass in a push. */
export type FsckSettings = {
  /** Whether slips that harm nobody refuse a push; else they bring a warning. */
  readonly strict: boolean;
  /** Message ids of slips that are let pass without a warning, also where the repository is strict. */
  readonly ignore: readonly string[];
  /** Full names of objects that are not checked. */
  readonly skip: readonly string[];
};

/** What repositories begin with. */
export const DEFAULT_FSCK: FsckSettings = { strict: false, ignore: [], skip: [] };

/** The most objects that are not checked. */
export const MOST_SKIPPED_OBJECTS = 1000;

/** Returns what a push is let pass with. */
export function leniencyFor({ strict, ignore, skip }: FsckSettings): FsckLeniency {
  const ignored = new Set<FsckId>(HARMLESS.filter((id) => ignore.includes(id)));
  const warned = new Set<FsckId>(strict ? [] : HARMLESS.filter((id) => !ignored.has(id)));
  return { ignored, warned, skipped: new Set(skip) };
}

/** Whether the settings of a repository can let a finding of this message id pass, in every object. */
export function canBeIgnored(id: string): boolean {
  return HARMLESS.some((known) => known === id);
}
