/**
 * The one place where access is decided.
 *
 * @packageDocumentation
 */
import type { RepositoryName } from "./names.ts";
import type { Principal, TokenPrincipal } from "./principal.ts";
import { allowsScope } from "./scope.ts";

/**
 * The access that is requested: to read refs and objects, to update refs (which may create the repository), or to
 * administer it.
 */
export type Action = "read" | "write" | "administer";

/** The facts about a repository that a decision needs; absent if there is no repository. Where only its name is known, `id` is absent. */
export type Subject = { readonly visibility: "private" | "public"; readonly readOnly: boolean; readonly id?: string };

/**
 * The access to a tenant that is requested: to show it and its things, to change it and its tokens, or an operator's
 * action.
 */
export type TenantAction = "show" | "administer" | "operate";

/**
 * The decision. `challenge` is answered with 401, `hide` with 404 as for a repository that does not exist, and `forbid`
 * with 403.
 *
 * A caller that may not read a private repository gets the same decision as for a missing one, so that its existence is
 * not told.
 */
export type Decision = "allow" | "challenge" | "hide" | "forbid";

/** Whether a token is valid for this repository, whatever its scopes are. */
function isFor(token: TokenPrincipal, { tenant, repo }: RepositoryName, subject: Subject | undefined): boolean {
  if (token.tenant !== tenant || token.repos?.includes(repo) === false) return false;
  // Another repository may have the name by now.
  return token.repoId === undefined || subject?.id === undefined || subject.id === token.repoId;
}

function decideToken(
  token: TokenPrincipal,
  action: Action,
  name: RepositoryName,
  subject: Subject | undefined,
): Decision {
  const own = isFor(token, name, subject);
  if (!own && subject?.visibility !== "public") return "hide";
  const isAdmin = own && allowsScope(token.scopes, "tenant:admin");
  switch (action) {
    case "read":
      return subject === undefined ? "hide" : "allow";
    case "write":
      // A token that may not create the repository is told that there is none.
      if (subject === undefined) return isAdmin ? "allow" : "hide";
      return own && allowsScope(token.scopes, "repo:write") && !subject.readOnly ? "allow" : "forbid";
    case "administer":
      return isAdmin ? "allow" : "forbid";
  }
}

/**
 * Decides about a repository. A missing one is `allow` only to write or to administer, for a caller that may create it.
 */
export function decide(
  principal: Principal,
  action: Action,
  name: RepositoryName,
  subject: Subject | undefined,
): Decision {
  switch (principal.kind) {
    case "invalid":
      return "challenge";
    case "anonymous":
      return action === "read" && subject?.visibility === "public" ? "allow" : "challenge";
    case "operator":
      if (action === "administer") return "allow";
      if (action === "read") return subject === undefined ? "hide" : "allow";
      return subject?.readOnly === true ? "forbid" : "allow";
    case "token":
      return decideToken(principal, action, name, subject);
  }
}

/**
 * The repositories that a principal may read under a name: none, public ones only, or private ones, too. It does not
 * depend on whether there is a repository.
 */
export type ReadingRight = "none" | "public" | "private";

/** Returns what a principal may read under a name, without knowing what is there. */
export function readingRight(principal: Principal, name: RepositoryName): ReadingRight {
  const mayRead = (visibility: Subject["visibility"]): boolean =>
    decide(principal, "read", name, { visibility, readOnly: false }) === "allow";
  if (mayRead("private")) return "private";
  return mayRead("public") ? "public" : "none";
}

/** Whether a principal may read repositories of this name only because they are public; then it saw nothing of them before they were. */
export function needsPublic(principal: Principal, name: RepositoryName): boolean {
  return readingRight(principal, name) !== "private";
}

/** Whether a principal could write to repositories of this name if they were not read-only, as a mirror always is. */
export function mightWrite(principal: Principal, name: RepositoryName): boolean {
  return decide(principal, "write", name, { visibility: "private", readOnly: false }) === "allow";
}

/**
 * Decides about a tenant. The decision never depends on whether the tenant exists, so that a caller without access
 * learns nothing. A token that is limited to some repositories may show the tenant, but may not change it.
 */
export function decideTenant(principal: Principal, action: TenantAction, tenant: string): Decision {
  switch (principal.kind) {
    case "invalid":
    case "anonymous":
      return "challenge";
    case "operator":
      return "allow";
    case "token": {
      if (action === "operate") return "forbid";
      if (principal.tenant !== tenant) return "hide";
      if (action === "show") return "allow";
      return principal.repos === undefined && allowsScope(principal.scopes, "tenant:admin") ? "allow" : "forbid";
    }
  }
}
