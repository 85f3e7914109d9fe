/**
 * The scopes, which say what a token may do. They are in order: each includes those before it.
 *
 * @packageDocumentation
 */

/** All scopes, the least first. */
export const SCOPES = ["repo:read", "repo:write", "tenant:admin"] as const;

/** The name of a scope in the API. */
export type Scope = (typeof SCOPES)[number];

/** Whether `scopes` include `wanted` or a greater scope. */
export function allowsScope(scopes: readonly Scope[], wanted: Scope): boolean {
  return SCOPES.slice(SCOPES.indexOf(wanted)).some((scope) => scopes.includes(scope));
}
