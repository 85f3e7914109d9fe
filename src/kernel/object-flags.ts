/**
 * The map of flag bits: every object name in a kernel's name table has one 32-bit word of flags. A new flag takes a
 * free bit here.
 *
 * ```text
 * bits    owner                          meaning
 *  0- 1   kernel/wasm/tree.ts            a tree refers to the object as: a tree, a blob
 *  2- 3   store/ingest/object-intake.ts  something refers to the object as: a commit, a tag
 *  4      kernel/wasm/tree.ts            something refers to the object
 *  5      kernel/wasm/tree.ts            a walk has listed the object
 *  6- 7   store/ingest/object-intake.ts  a tree names the blob .gitmodules, .gitattributes
 *  8-13   graph/                         the haves and wants of a fetch
 * 14,19   packing/                       the object's place in the pack that is made
 * 15-18   graph/                         the object's type, if it was learnt by reading the object
 * 20      graph/                         exempt from the filter
 * 21-25   graph/merge-base.ts            sides of a comparison
 * 26      graph/reachability.ts          what refs reach
 * 27      graph/tree-sweep.ts            a tree that a walk still has to open
 * 28-31   free
 * ```
 *
 * A push uses bits 0 to 7. A fetch uses 0, 1, 5, 8 to 20, 26 and 27, and a comparison also 21 to 25. All are zero when a
 * kernel is lent.
 *
 * @packageDocumentation
 * @see object.h, "object flag allocation", in git's sources
 */

/** A tree refers to the object as a tree. */
export const REF_TREE = 1 << 0;
/** A tree refers to the object as a blob. */
export const REF_BLOB = 1 << 1;
/** Something refers to the object as a commit. */
export const REF_COMMIT = 1 << 2;
/** Something refers to the object as a tag. */
export const REF_TAG = 1 << 3;
/** Something refers to the object. */
export const REFERENCED = 1 << 4;
/** A walk has listed the object. */
export const SEEN = 1 << 5;
/** A tree names the blob `.gitmodules`, so its content is checked, too. */
export const GITMODULES = 1 << 6;
/** A tree names the blob `.gitattributes`, so its content is checked, too. */
export const GITATTRIBUTES = 1 << 7;
/** The client has the object, or does not need it. */
export const UNINTERESTING = 1 << 8;
/** The client named the object as a have. */
export const THEY_HAVE = 1 << 9;
/** The object is to be sent. */
export const SELECTED = 1 << 10;
/** The commit was put into a walk's queue. */
export const QUEUED = 1 << 11;
/** A common commit can be reached from the commit. */
export const COMMON_KNOWN = 1 << 12;
/** The commit was looked at, and no common commit can be reached from it. */
export const NOTHING_COMMON = 1 << 13;
/** The object is already selected in some pack. */
export const PLACED = 1 << 14;
/** The object is known to be a commit. */
export const IS_COMMIT = 1 << 15;
/** The object is known to be a tag. */
export const IS_TAG = 1 << 16;
/** The object is known to be a tree. */
export const IS_TREE = 1 << 17;
/** The object is known to be a blob. */
export const IS_BLOB = 1 << 18;
/** The object is in a pack that is sent later, so an entry that is sent before may not be a delta on it. */
export const PENDING = 1 << 19;
/** The object is wanted by name, so no filter applies to it. */
export const EXEMPT = 1 << 20;
/** The commit was reached from the left tip. */
export const LEFT = 1 << 21;
/** The commit was reached from a right tip. */
export const RIGHT = 1 << 22;
/** The commit was reached from a common ancestor. */
export const STALE = 1 << 23;
/** The commit is in the queue, and not stale. */
export const FRESH = 1 << 24;
/** The commit was listed. */
export const LISTED = 1 << 25;
/** A ref reaches the commit, or the tag. */
export const REACHED = 1 << 26;
/** The tree was found by a walk, which has not opened it yet. */
export const UNOPENED = 1 << 27;
