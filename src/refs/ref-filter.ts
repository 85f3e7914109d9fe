/**
 * Decides which refs a caller sees. Readers get refs from one place, `RefStore.open`, and every `open` of a reader goes
 * through a filter. A hidden ref is therefore hidden everywhere.
 *
 * @packageDocumentation
 * @see git-config(1), `transfer.hideRefs`, which this is the seam for
 */

/** Whether the caller sees the ref with this full name. */
export type RefFilter = (name: string) => boolean;

/** Hides nothing, because there are no hidden refs yet. */
export const SHOWS_ALL: RefFilter = () => true;
