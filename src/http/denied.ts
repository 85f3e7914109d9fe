/**
 * A refusal on its way from a decision to the answer, through a service that knows nothing of HTTP.
 *
 * @packageDocumentation
 */
import { decide, type Action, type Decision, type Subject } from "../access/decide.ts";
import type { Principal } from "../access/principal.ts";

/** Thrown out of a service by its `admit`, caught by the route. */
export class AccessDenied extends Error {
  override readonly name = "AccessDenied";
  readonly decision: Exclude<Decision, "allow">;
  constructor(decision: Exclude<Decision, "allow">) {
    super(decision);
    this.decision = decision;
  }
}

/** Lets the principal do this or throws. @throws AccessDenied */
export function authorize(principal: Principal, action: Action, subject: Subject | undefined): void {
  const decision = decide(principal, action, subject);
  if (decision !== "allow") throw new AccessDenied(decision);
}

/** What a 401 says: git asks for credentials when it sees it. */
export const CHALLENGE = 'Basic realm="thinpack", charset="UTF-8"';
