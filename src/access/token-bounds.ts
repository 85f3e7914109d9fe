/**
 * What a token may give to one that it makes: no more than it has itself.
 *
 * @packageDocumentation
 */
import { allowsScope } from "./scope.ts";
import type { Excess, TokenRecord } from "./token-store.ts";

/** What is asked for of a token that is to be made. */
type Asked = Pick<TokenRecord, "scopes" | "repos" | "expiresAt">;

/** Returns what is asked for beyond what the maker has; `undefined` where that is nothing. */
export function excessOver(maker: Asked, { scopes, repos, expiresAt }: Asked): Excess | undefined {
  if (maker.expiresAt !== undefined && expiresAt !== undefined && expiresAt > maker.expiresAt) return "expiry";
  if (!scopes.every((scope) => allowsScope(maker.scopes, scope))) return "scopes";
  const { repos: own } = maker;
  if (own !== undefined && (repos === undefined || !repos.every((repo) => own.includes(repo)))) return "repos";
  return undefined;
}
