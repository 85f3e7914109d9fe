/**
 * A refusal on its way from a decision to the answer, through a service that knows nothing of HTTP.
 *
 * @packageDocumentation
 */
import {
  decide,
  mightWrite,
  decideTenant,
  type Action,
  type Decision,
  type Subject,
  type TenantAction,
} from "../access/decide.ts";
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

function enforce(host: Host, decision: Decision): void {
  if (decision === "allow") return;
  host.refused();
  throw new AccessDenied(decision);
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
  enforce(host, decide(principal, action, name, subject));
}

/** Lets who asks do this with a tenant, whether there is one or not, or throws. @throws AccessDenied */
export async function authorizeTenant(host: Host, action: TenantAction, tenant: string): Promise<void> {
  const { principal } = await host.identify();
  enforce(host, decideTenant(principal, action, tenant));
}

/** Thrown where somebody asks more often than is taken. */
export class TooManyRequests extends Error {
  override readonly name = "TooManyRequests";
  /** Seconds, as `Retry-After` has them. */
  readonly retryAfter: string;
  constructor(message: string, seconds: number) {
    super(message);
    this.retryAfter = String(seconds);
  }
}

/** What a 401 says: git asks for credentials when it sees it. */
export const CHALLENGE = 'Basic realm="thinpack", charset="UTF-8"';

/**
 * Says that a repository is a mirror to a client that would push to it. Whom it follows is told to those who could push if it were none,
 * and so have to know where to push: the URL may be of a private place.
 */
export async function describeMirror(
  host: Host,
  name: RepositoryName,
  { upstream }: { readonly upstream: string },
): Promise<string> {
  const { principal } = await host.identify(name);
  if (mightWrite(principal, name)) return `This repository is a read-only mirror of ${upstream}: push there.`;
  return "This repository is a read-only mirror.";
}
