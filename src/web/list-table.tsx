/**
 * A table that lists things. One that is too wide for the page scrolls by itself.
 *
 * @packageDocumentation
 */
import type { Child } from "hono/jsx";

/** A table with a row in `children` for each thing. `label` names it for screen readers; its caption may say more. */
export function ListTable({
  label,
  caption = label,
  heads,
  children,
}: {
  readonly label: string;
  readonly caption?: string;
  /** The heads of the columns. */
  readonly heads: readonly string[];
  readonly children?: Child;
}) {
  return (
    <div class="scroll" role="region" aria-label={label} tabindex={0}>
      <table class="list">
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th scope="col">{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
