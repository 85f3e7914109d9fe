/**
 * Identifies the requester: looks up a token with the tenant that it names, and counts the wrong ones.
 *
 * @packageDocumentation
 */
import { folded } from "../access/names.ts";
import type { TokenPrincipal } from "../access/principal.ts";
import type { SshKeyStore } from "../access/ssh-key-store.ts";
import type { TokenCheck, TokenStore } from "../access/token-store.ts";
import type { BindingCredentials, Credentials } from "./authenticate.ts";
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

function principalOf(tenant: string, { token }: TokenCheck): TokenPrincipal {
  const { id, name, createdAt, scopes, repos } = token;
  const limit = repos === undefined ? {} : { repos: repos.map(folded) };
  return { kind: "token", tenant, id, name, createdAt, scopes, ...limit };
}

type LookedUp = Extract<Credentials, { readonly kind: "unchecked" | "key" }>;

/** Returns what a token or key that its tenant knows may, and no more than it is lent for. */
function knownPrincipal({ kind, tenant, lent }: LookedUp, found: TokenCheck): TokenPrincipal {
  const principal = { ...principalOf(tenant, found), ...(kind === "key" ? { form: kind } : {}) };
  if (lent === undefined) return principal;
  const { repo, repoId, writes } = lent;
  return {
    ...principal,
    ...(repoId === undefined ? {} : { repoId }),
    repos: principal.repos?.includes(repo) === false ? [] : [repo],
    scopes: writes ? principal.scopes : ["repo:read"],
  };
}

/** What a ticket of the operator's may: read one repository. */
function lentPrincipal({ tenant, repo, repoId }: Extract<Credentials, { readonly kind: "lent" }>): TokenPrincipal {
  return {
    kind: "token",
    tenant,
    id: "operator",
    name: "a ticket of the operator's",
    createdAt: 0,
    scopes: ["repo:read"],
    repos: [repo],
    ...(repoId === undefined ? {} : { repoId }),
  };
}

/** What a binding may, as it says itself. */
function boundPrincipal({ kind: form, ...rights }: BindingCredentials): TokenPrincipal {
  return { kind: "token", form, id: rights.name, createdAt: 0, ...rights };
}

/** Returns the function that identifies the requester, at its first call. `store` opens the tokens and keys of a tenant. */
export function identifier(
  credentials: Credentials,
  store: (tenant: string) => Pick<TokenStore, "check" | "facts"> & Pick<SshKeyStore, "checkSshKey">,
  bounds: RequestBounds,
): Host["identify"] {
  const wrong = async (): Promise<Identity> => {
    if (!(await bounds.admitsAfterWrongToken())) throw tooManyWrong();
    return { principal: { kind: "invalid" } };
  };
  const admit = async (tenant: string): Promise<void> => {
    if (await bounds.admitsRequest(tenant)) return;
    throw new TooManyRequests("The tenant's tokens are used too often at this moment.", "tenant", RETRY_AFTER);
  };
  const ask = async (repo: string | undefined): Promise<Identity> => {
    if (credentials.kind === "anonymous") return { principal: credentials };
    if (credentials.kind === "binding") {
      const facts = await store(credentials.tenant).facts(repo);
      await admit(credentials.tenant);
      return { principal: boundPrincipal(credentials), ...facts };
    }
    // This comes before any comparison: otherwise a guess would be answered, however many came before it.
    if (bounds.isShut()) throw tooManyWrong();
    if (credentials.kind === "operator") return { principal: credentials };
    if (credentials.kind === "invalid") return wrong();
    if (credentials.kind === "lent") return { principal: lentPrincipal(credentials) };
    const { tenant } = credentials;
    const isKey = credentials.kind === "key";
    const found = isKey
      ? await store(tenant).checkSshKey(credentials.fingerprint, repo)
      : await store(tenant).check(credentials.hash, repo);
    // A key that the tenant does not know may do what anybody may; where it was lent, it is not known any more.
    if (found === undefined && isKey)
      return { principal: { kind: credentials.lent === undefined ? "anonymous" : "invalid" } };
    if (found === undefined) return wrong();
    await admit(tenant);
    const { token: _, ...learnt } = found;
    return { principal: knownPrincipal(credentials, found), ...learnt };
  };
  let asked: Promise<Identity> | undefined;
  return (name) => {
    const isOwn = "tenant" in credentials && name?.tenant === credentials.tenant;
    return (asked ??= ask(isOwn ? name.repo : undefined));
  };
}
