/**
 * Which refs a caller sees. Readers get refs from one place, `RefStore.open`, and every reader's `open` goes through a filter: so a ref
 * that is hidden is hidden at every door.
 *
 * @packageDocumentation
 * @see git-config(1), `transfer.hideRefs`, which this is the seam for
 */

/** Says whether the caller sees the ref with this full name. */
export type RefFilter = (name: string) => boolean;

/** Hides nothing: there are no hidden refs yet. */
export const SHOWS_ALL: RefFilter = () => true;
