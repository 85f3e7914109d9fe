/**
 * What a token may do, as its scopes say. They are steps of one ladder: each includes those before it.
 *
 * @packageDocumentation
 */

/** Every scope there is, the least first. */
export const SCOPES = ["repo:read", "repo:write", "tenant:admin"] as const;

/** A scope, by the name that the API gives it. */
export type Scope = (typeof SCOPES)[number];

/** Says whether `scopes` include `wanted`, by themselves or through a greater one. */
export function allowsScope(scopes: readonly Scope[], wanted: Scope): boolean {
  return SCOPES.slice(SCOPES.indexOf(wanted)).some((scope) => scopes.includes(scope));
}
