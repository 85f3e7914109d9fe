/**
 * The bounds of a token that another token makes: it may not have more than its maker.
 *
 * @packageDocumentation
 */
import { folded } from "./names.ts";
import { allowsScope } from "./scope.ts";
import type { Excess, TokenRecord } from "./token-store.ts";

/** The rights of a token that is to be made, or of its maker. */
type Asked = Pick<TokenRecord, "scopes" | "repos" | "expiresAt">;

/** Returns the respect in which a token would exceed its maker; `undefined` if there is none. */
export function excessOver(maker: Asked, { scopes, repos, expiresAt }: Asked): Excess | undefined {
  if (maker.expiresAt !== undefined && expiresAt !== undefined && expiresAt > maker.expiresAt) return "expiry";
  if (!scopes.every((scope) => allowsScope(maker.scopes, scope))) return "scopes";
  const { repos: own } = maker;
  const has = (repo: string): boolean => own?.some((name) => folded(name) === folded(repo)) === true;
  if (own !== undefined && (repos === undefined || !repos.every(has))) return "repos";
  return undefined;
}
