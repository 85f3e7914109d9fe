/**
 * A refusal on its way from a decision to the answer, through a service that does not know HTTP.
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
import { explainDenial, explainTenantDenial } from "../access/denial.ts";
import type { RepositoryName } from "../access/names.ts";
import type { Host } from "./host.ts";

/** Thrown by a service's `admit`, and caught by the route. Its message is for the requester. */
export class AccessDenied extends Error {
  override readonly name = "AccessDenied";
  readonly decision: Exclude<Decision, "allow">;
  constructor(decision: Exclude<Decision, "allow">, message: string) {
    super(message);
    this.decision = decision;
  }
}

/**
 * Allows the requester this action on the repository, of which `subject` was found, or throws. The look-up of the token
 * began when the repository was opened, so this waits no longer than the slower of the two.
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
  const decision = decide(principal, action, name, subject);
  if (decision === "allow") return;
  host.refused();
  throw new AccessDenied(decision, explainDenial({ decision, principal, action, name, subject }));
}

/**
 * Allows the requester this action on a tenant, whether it exists or not, or throws.
 *
 * @throws AccessDenied
 */
export async function authorizeTenant(host: Host, action: TenantAction, tenant: string): Promise<void> {
  const { principal } = await host.identify();
  const decision = decideTenant(principal, action, tenant);
  if (decision === "allow") return;
  host.refused();
  throw new AccessDenied(decision, explainTenantDenial(decision, principal));
}

/** Thrown for a client that sends too many requests. */
export class TooManyRequests extends Error {
  override readonly name = "TooManyRequests";
  /** When to try again, and which bound was met. The platform does not tell how much is left below a bound. */
  readonly headers: Readonly<Record<string, string>>;
  constructor(message: string, bound: "login" | "tenant", seconds: number) {
    super(message);
    this.headers = { "Retry-After": String(seconds), RateLimit: `"${bound}";r=0;t=${seconds}` };
  }
}

/** The challenge of a 401: git asks for credentials when it sees it. */
export const CHALLENGE = 'Basic realm="thinpack", charset="UTF-8"';

/**
 * Returns the message that a repository is a mirror, for a client that pushes to it. The upstream is named only to
 * those who could push to an ordinary repository, and so have to know where to push: its URL may be of a private place.
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
