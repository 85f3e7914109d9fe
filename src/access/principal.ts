/**
 * Who makes a request.
 *
 * @packageDocumentation
 */

/**
 * The one thing that every decision is made about. `invalid` gave credentials that are not known: it may do nothing, not even
 * what nobody in particular may, so that a mistyped token does not pass unnoticed.
 *
 * NEEDSWORK: tenants' tokens become one more kind here, and one more row in `decide`.
 */
export type Principal = { readonly kind: "anonymous" } | { readonly kind: "invalid" } | { readonly kind: "operator" };

/** Names a principal for the ref log. */
export function actorOf(principal: Principal): string {
  return principal.kind;
}
