/**
 * The one place where access is decided.
 *
 * @packageDocumentation
 */
import type { RepositoryName } from "./names.ts";
import type { Principal, TokenPrincipal } from "./principal.ts";
import { allowsScope } from "./scope.ts";

/** What is asked for: reading refs and objects, moving refs (and making the repository by that), changing the repository itself. */
export type Action = "read" | "write" | "administer";

/** What a decision needs to know of a repository; absent where there is none. */
export type Subject = { readonly visibility: "private" | "public"; readonly readOnly: boolean };

/** What is asked of a tenant: showing it and what it has; changing it and its tokens; what is only the operator's. */
export type TenantAction = "show" | "administer" | "operate";

/**
 * What to answer: `challenge` is 401, `hide` is 404 as for a repository that does not exist, `forbid` is 403.
 *
 * A private repository and a missing one get the same decision from everyone who may not read it: existence is not told.
 */
export type Decision = "allow" | "challenge" | "hide" | "forbid";

/** Whether a token is for this repository, whatever it may do there. */
function isFor(token: TokenPrincipal, { tenant, repo }: RepositoryName): boolean {
  return token.tenant === tenant && (token.repos === undefined || token.repos.includes(repo));
}

function decideToken(
  token: TokenPrincipal,
  action: Action,
  name: RepositoryName,
  subject: Subject | undefined,
): Decision {
  const own = isFor(token, name);
  if (!own && subject?.visibility !== "public") return "hide";
  const isAdmin = own && allowsScope(token.scopes, "tenant:admin");
  switch (action) {
    case "read":
      return subject === undefined ? "hide" : "allow";
    case "write":
      // Whoever may not make it learns that it is not there: being told of a repository without its objects helps nobody.
      if (subject === undefined) return isAdmin ? "allow" : "hide";
      return own && allowsScope(token.scopes, "repo:write") && !subject.readOnly ? "allow" : "forbid";
    case "administer":
      return isAdmin ? "allow" : "forbid";
  }
}

/** Decides. A missing repository is `allow` only for who may make it: to write, or to administer. */
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
 * What a principal may read of the repositories that a name may stand for: nothing at all, public ones only, or private ones too.
 * It is known without asking what there is.
 */
export type ReadingRight = "none" | "public" | "private";

/** Gives what a principal may read under a name, whatever is there. */
export function readingRight(principal: Principal, name: RepositoryName): ReadingRight {
  const mayRead = (visibility: Subject["visibility"]): boolean =>
    decide(principal, "read", name, { visibility, readOnly: false }) === "allow";
  if (mayRead("private")) return "private";
  return mayRead("public") ? "public" : "none";
}

/**
 * Decides about a tenant. It never depends on whether there is one: who may not know gets the same answer, and who may is then told.
 * A token that is for some repositories only may show the tenant, but not change what is not theirs alone.
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
