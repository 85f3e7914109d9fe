/**
 * The principal: the caller that makes a request.
 *
 * @packageDocumentation
 */
import type { Scope } from "./scope.ts";

/** A tenant's token, or what may do what a token of its scopes may: an SSH key of the tenant's, or the binding of a Worker. */
export type TokenPrincipal = {
  readonly kind: "token";
  /** What it is, if it is no token: an SSH key, or the binding of another Worker of the account. */
  readonly form?: "key" | "binding";
  /** The tenant that issued it. Elsewhere the token may do only what anybody may do. */
  readonly tenant: string;
  /** The id in the tenant's list; a binding, which is in none, has its name. */
  readonly id: string;
  /** The name that its owner gave it. */
  readonly name: string;
  /** The time at which it was made, in milliseconds since the epoch. */
  readonly createdAt: number;
  readonly scopes: readonly Scope[];
  /** The names, in lower case, of the only repositories that it is valid for; absent: all of the tenant's. */
  readonly repos?: readonly string[];
  /** The id of the only repository that a ticket is valid for; absent for tokens and keys. */
  readonly repoId?: string;
};

/**
 * The caller of a request, about which every access decision is made. `invalid` is a caller whose credentials are
 * unknown or no longer valid. It may do nothing, not even what an anonymous caller may, so that a mistyped token does
 * not pass unnoticed.
 */
export type Principal =
  | { readonly kind: "anonymous" }
  | { readonly kind: "invalid" }
  | { readonly kind: "operator" }
  | TokenPrincipal;

/**
 * Returns the identities by which a repository's rules may name a principal. Without `identities` no list of pushers
 * binds it. That is the operator, who may do everything, but must first change a rule that forbids an update to
 * everybody.
 */
export function pusherOf(principal: Principal): { readonly identities?: readonly string[] } {
  if (principal.kind === "operator") return {};
  return { identities: principal.kind === "token" ? [principal.id, principal.name] : [] };
}

/** What logs call a token, or what stands for one. */
function kindOf({ form }: TokenPrincipal): "binding" | "key" | "token" {
  return form ?? "token";
}

/**
 * Returns the id by which the tenant knows a token or key, and can say whether it is in force; `undefined` for callers that are in
 * no list of the tenant's.
 */
export function listedIdOf(principal: Principal): string | undefined {
  return principal.kind === "token" && principal.form !== "binding" ? principal.id : undefined;
}

/**
 * Returns a principal as the owner of locks. That is the name of its token, so that locks stay its owner's when a token
 * is renewed under the same name; a token without a name is known by its id.
 */
export function lockOwnerOf(principal: Principal): { readonly key: string; readonly name: string } {
  if (principal.kind !== "token") return { key: principal.kind, name: principal.kind };
  const name = principal.name === "" ? principal.id : principal.name;
  return { key: `${kindOf(principal)}:${name}`, name };
}

/** Returns the name of a principal in the ref log. */
export function actorOf(principal: Principal): string {
  return principal.kind === "token" ? `${kindOf(principal)}:${principal.id}` : principal.kind;
}

/** Returns what people call a principal now, for the ref log: a token may be gone by the time that the log is read. */
export function actorNameOf(principal: Principal): { readonly actorName?: string } {
  return principal.kind === "token" ? { actorName: principal.name } : {};
}
