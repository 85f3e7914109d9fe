/**
 * Who makes a request.
 *
 * @packageDocumentation
 */
import type { Scope } from "./scope.ts";

/** A token of a tenant's that is in force. */
export type TokenPrincipal = {
  readonly kind: "token";
  /** The tenant that issued it: what it is worth anywhere else is what anybody may do. */
  readonly tenant: string;
  readonly id: string;
  /** What its owner calls it. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The only repositories it is for, by name; absent: all of the tenant's. */
  readonly repos?: readonly string[];
};

/**
 * The one thing that every decision is made about. `invalid` gave credentials that are not known, or not any more: it may do
 * nothing, not even what nobody in particular may, so that a mistyped token does not pass unnoticed.
 */
export type Principal =
  | { readonly kind: "anonymous" }
  | { readonly kind: "invalid" }
  | { readonly kind: "operator" }
  | TokenPrincipal;

/**
 * Gives what the rules of a repository may name a principal by. Nothing at all: no list binds it, which is the operator's case. It
 * may do everything, though not without changing the rules first where they forbid it to all.
 */
export function pusherOf(principal: Principal): { readonly identities?: readonly string[] } {
  if (principal.kind === "operator") return {};
  return { identities: principal.kind === "token" ? [principal.id, principal.name] : [] };
}

/** Names a principal for the ref log. */
export function actorOf(principal: Principal): string {
  return principal.kind === "token" ? `token:${principal.id}` : principal.kind;
}
