/**
 * The link from one page of a list to the next.
 *
 * @packageDocumentation
 */

/** Returns the address of the page of a list that begins at a cursor, relative to this one. */
export function cursorLink(cursor: string | undefined): string | undefined {
  return cursor === undefined ? undefined : `?cursor=${encodeURIComponent(cursor)}`;
}

/** Shows the link; nothing without an address, on the last page. */
export function Pager({ href, words = "More" }: { readonly href: string | undefined; readonly words?: string }) {
  if (href === undefined) return null;
  return (
    <p class="pager">
      <a rel="next" href={href}>
        {words}
      </a>
    </p>
  );
}
