/**
 * Explains why access was denied, in a sentence for the requester. It says what is wrong and, where that is not plain,
 * what to do. It never tells more than the decision itself does.
 *
 * @packageDocumentation
 */
import { type Action, type Decision, mightWrite, type Subject } from "./decide.ts";
import type { RepositoryName } from "./names.ts";
import type { Principal } from "./principal.ts";
import { allowsScope } from "./scope.ts";

/** A decision about a repository that was not `allow`, with the facts that it was made from. */
export type Denied = {
  readonly decision: Exclude<Decision, "allow">;
  readonly principal: Principal;
  readonly action: Action;
  readonly name: RepositoryName;
  readonly subject: Subject | undefined;
};

/** Returns the sentence for credentials that are missing or not valid. */
export function explainChallenge({ kind }: Principal): string {
  if (kind === "invalid") return "The token is not valid: it is unknown, expired or revoked.";
  return "A valid token is needed: give it as the password, with any user name.";
}

/** What a requester is told that it has shown. */
function shownThing(principal: Principal): "binding" | "key" | "token" {
  return principal.kind === "token" ? (principal.form ?? "token") : "token";
}

/** Returns the sentence for a repository that is missing, or is answered as if it were. */
function explainMissing({ principal, action, name }: Denied): string {
  if (principal.kind !== "token") return "There is no such repository.";
  // It would be told if there were one.
  const knows = mightWrite({ ...principal, scopes: ["repo:write"] }, name);
  if (action !== "write" || !knows)
    return `There is no such repository, or this ${shownThing(principal)} may not read it.`;
  return `There is no such repository, and this ${shownThing(principal)} may not create it: that takes the scope tenant:admin.`;
}

/** Returns the sentence for an action that a reader of the repository may not take. */
function explainForbidden({ principal, action, name, subject }: Denied): string {
  if (action === "write" && subject?.readOnly === true && mightWrite(principal, name)) {
    return "This repository is read-only: nobody may push to it.";
  }
  if (principal.kind !== "token") return "This may not be done here.";
  if (principal.tenant !== name.tenant) return "This token is another tenant's: it may only read here.";
  if (principal.repos?.includes(name.repo) === false) {
    return `This ${shownThing(principal)} is for other repositories: it may only read this one.`;
  }
  if (action === "administer") return "The token may not do this: it takes the scope tenant:admin.";
  if (allowsScope(principal.scopes, "repo:write")) return "The token may not do this.";
  if (principal.form === "key")
    return "This key may only read: a push takes the scope repo:write, or write as a deploy key.";
  return "This token may only read: a push takes the scope repo:write.";
}

/** Returns the sentence for a denied action on a repository. */
export function explainDenial(denied: Denied): string {
  switch (denied.decision) {
    case "challenge":
      return explainChallenge(denied.principal);
    case "hide":
      return explainMissing(denied);
    case "forbid":
      return explainForbidden(denied);
  }
}

/** Returns the sentence for a denied action on a tenant. */
export function explainTenantDenial(decision: Exclude<Decision, "allow">, principal: Principal): string {
  switch (decision) {
    case "challenge":
      return explainChallenge(principal);
    case "hide":
      return "There is no such tenant, or this token may not see it.";
    case "forbid":
      return "The token may not do this: it takes the scope tenant:admin and all repositories, or is the operator's alone.";
  }
}
