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

/**
 * Gives what the rules of a repository may name a principal by. Nothing at all: no list binds it. It may do everything, though not
 * without changing the rules first where they forbid it to all.
 *
 * NEEDSWORK: a tenant's token is its id and its name.
 */
export function pusherOf(principal: Principal): { readonly identities?: readonly string[] } {
  return principal.kind === "operator" ? {} : { identities: [] };
}

/** Names a principal for the ref log. */
export function actorOf(principal: Principal): string {
  return principal.kind;
}
