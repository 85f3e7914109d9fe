/**
 * Finds out who asks: looks a token up with the tenant that it names, and counts the wrong ones.
 *
 * @packageDocumentation
 */
import type { TokenStore } from "../access/token-store.ts";
import type { Credentials } from "./authenticate.ts";
import { TooManyRequests } from "./denied.ts";
import type { Host, Identity } from "./host.ts";

/** Bounds on how often is asked, for one client. */
export interface RequestBounds {
  /** Whether this client has given too many wrong tokens just now. */
  isShut(): boolean;
  /** Counts a wrong token; returns whether the client may go on. */
  admitsAfterWrongToken(): Promise<boolean>;
  /** Counts a request with a token of this tenant's; returns whether it is one of not too many. */
  admitsRequest(tenant: string): Promise<boolean>;
}

/** Seconds after which to try again: the longest that a bound counts over. */
const RETRY_AFTER = 60;

const tooManyWrong = (): TooManyRequests =>
  new TooManyRequests("Too many wrong tokens came from this address. Wait a minute.", RETRY_AFTER);

/**
 * Returns the function that says who asks, and finds it out at its first call. `store` opens the tokens of a tenant.
 */
export function identifier(
  credentials: Credentials,
  store: (tenant: string) => Pick<TokenStore, "check">,
  bounds: RequestBounds,
): Host["identify"] {
  const wrong = async (): Promise<Identity> => {
    if (!(await bounds.admitsAfterWrongToken())) throw tooManyWrong();
    return { principal: { kind: "invalid" } };
  };
  const ask = async (repo: string | undefined): Promise<Identity> => {
    if (credentials.kind === "anonymous") return { principal: credentials };
    // Before anything is compared: else a guess would be answered, however many went before it.
    if (bounds.isShut()) throw tooManyWrong();
    if (credentials.kind === "operator") return { principal: credentials };
    if (credentials.kind === "invalid") return wrong();
    const { tenant, hash } = credentials;
    const found = await store(tenant).check(hash, repo);
    if (found === undefined) return wrong();
    if (!(await bounds.admitsRequest(tenant))) {
      throw new TooManyRequests("The tenant's tokens are used too often at this moment.", RETRY_AFTER);
    }
    const { token, ...learnt } = found;
    const { id, name, scopes, repos } = token;
    return {
      principal: { kind: "token", tenant, id, name, scopes, ...(repos === undefined ? {} : { repos }) },
      ...learnt,
    };
  };
  let asked: Promise<Identity> | undefined;
  return (name) => {
    const isOwn = credentials.kind === "unchecked" && name?.tenant === credentials.tenant;
    return (asked ??= ask(isOwn ? name.repo : undefined));
  };
}
