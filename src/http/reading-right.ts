/**
 * Decides what the caller may read before a repository is opened, so that the call to its object can carry the right.
 *
 * @packageDocumentation
 */
import { type ReadingRight, readingRight } from "../access/decide.ts";
import { repositoryKey, type RepositoryName } from "../access/names.ts";
import { toHex } from "../bytes/hex.ts";
import type { Credentials } from "./authenticate.ts";
import type { Host } from "./host.ts";
import type { RecentReaders } from "./recent-readers.ts";

/** The sources of the right. */
export type ReadingRightTools = {
  readonly credentials: Credentials;
  readonly identify: Host["identify"];
  readonly recent: RecentReaders;
  readonly now: () => number;
};

/**
 * Returns the function that tells what the caller may read under a name. It waits for the look-up of the token only if
 * the answer depends on it: that is a token of the repository's own tenant that was not let in lately.
 *
 * The answer for a token that was let in lately may be out of date. So it decides what may be opened, and never what
 * may be told: that is decided with the present state of the token.
 */
export function rightsOf({
  credentials,
  identify,
  recent,
  now,
}: ReadingRightTools): (name: RepositoryName) => Promise<ReadingRight> {
  if (!("tenant" in credentials)) return async (name) => readingRight(credentials, name);
  if (credentials.kind === "lent" || credentials.kind === "binding")
    return async (name) => readingRight((await identify(name)).principal, name);
  const token = credentials.kind === "key" ? `key:${credentials.fingerprint}` : toHex(credentials.hash);
  const checked = async (name: RepositoryName): Promise<ReadingRight> => {
    const { principal } = await identify(name);
    const right = readingRight(principal, name);
    if (right === "private") recent.add(token, repositoryKey(name), now());
    else recent.forget(token, repositoryKey(name));
    return right;
  };
  return async (name) => {
    // At another tenant a token is worth no more than none, whether it is in force or not.
    if (credentials.tenant !== name.tenant) return "public";
    const asked = checked(name);
    if (!recent.has(token, repositoryKey(name), now())) return await asked;
    // Whoever asks for the caller's identity gets the error.
    asked.catch(() => undefined);
    return "private";
  };
}
