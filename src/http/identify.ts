/**
 * Identifies the requester: looks up a token with the tenant that it names, and counts the wrong ones.
 *
 * @packageDocumentation
 */
import { folded } from "../access/names.ts";
import type { TokenStore } from "../access/token-store.ts";
import type { Credentials } from "./authenticate.ts";
import { TooManyRequests } from "./denied.ts";
import type { Host, Identity } from "./host.ts";

/** The bounds on one client's requests. */
export interface RequestBounds {
  /** Whether this client has sent too many wrong tokens just now. */
  isShut(): boolean;
  /** Counts a wrong token. Returns whether the client may go on. */
  admitsAfterWrongToken(): Promise<boolean>;
  /** Counts a request with a token of this tenant. Returns whether it is within the bound. */
  admitsRequest(tenant: string): Promise<boolean>;
}

/** Seconds after which to try again: the longest period of a bound. */
const RETRY_AFTER = 60;

const tooManyWrong = (): TooManyRequests =>
  new TooManyRequests("Too many wrong tokens came from this address. Wait a minute.", "login", RETRY_AFTER);

/** Returns the function that identifies the requester, at its first call. `store` opens the tokens of a tenant. */
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
    // This comes before any comparison: otherwise a guess would be answered, however many came before it.
    if (bounds.isShut()) throw tooManyWrong();
    if (credentials.kind === "operator") return { principal: credentials };
    if (credentials.kind === "invalid") return wrong();
    const { tenant, hash } = credentials;
    const found = await store(tenant).check(hash, repo);
    if (found === undefined) return wrong();
    if (!(await bounds.admitsRequest(tenant))) {
      throw new TooManyRequests("The tenant's tokens are used too often at this moment.", "tenant", RETRY_AFTER);
    }
    const { token, ...learnt } = found;
    const { id, name, createdAt, scopes, repos } = token;
    return {
      principal: {
        kind: "token",
        tenant,
        id,
        name,
        createdAt,
        scopes,
        ...(repos === undefined ? {} : { repos: repos.map(folded) }),
      },
      ...learnt,
    };
  };
  let asked: Promise<Identity> | undefined;
  return (name) => {
    const isOwn = credentials.kind === "unchecked" && name?.tenant === credentials.tenant;
    return (asked ??= ask(isOwn ? name.repo : undefined));
  };
}
