/**
 * A refusal on its way from a decision to the answer, through a service that knows nothing of HTTP.
 *
 * @packageDocumentation
 */
import { decide, type Action, type Decision, type Subject } from "../access/decide.ts";
import type { RepositoryName } from "../access/names.ts";
import type { Host } from "./host.ts";

/** Thrown out of a service by its `admit`, caught by the route. */
export class AccessDenied extends Error {
  override readonly name = "AccessDenied";
  readonly decision: Exclude<Decision, "allow">;
  constructor(decision: Exclude<Decision, "allow">) {
    super(decision);
    this.decision = decision;
  }
}

function enforce(decision: Decision): void {
  if (decision !== "allow") throw new AccessDenied(decision);
}

/**
 * Lets who asks do this with the repository, of which `subject` is what was found, or throws. The look-up of a token went out
 * when the repository was opened, so this waits for no more than the slower of the two.
 *
 * @throws AccessDenied
 */
export async function authorize(
  host: Host,
  action: Action,
  name: RepositoryName,
  subject: Subject | undefined,
): Promise<void> {
  const { principal } = await host.identify(name);
  enforce(decide(principal, action, name, subject));
}

/** What a 401 says: git asks for credentials when it sees it. */
export const CHALLENGE = 'Basic realm="thinpack", charset="UTF-8"';
