/**
 * A form of a signed-in page, which does one thing.
 *
 * @packageDocumentation
 */
import type { Child } from "hono/jsx";

/** A form. `token` is the value by which the host knows its own pages; without `action` the address says what is done. */
export function ActionForm({
  to,
  token,
  action,
  className,
  children,
}: {
  readonly to: string;
  readonly token: string;
  readonly action?: string;
  readonly className?: string;
  readonly children?: Child;
}) {
  return (
    <form method="post" action={to} class={className}>
      <input type="hidden" name="form" value={token} />
      {action === undefined ? null : <input type="hidden" name="action" value={action} />}
      {children}
    </form>
  );
}
