/**
 * Returns what the caller may read before a repository is opened, so that its object can be told.
 *
 * @packageDocumentation
 */
import { type ReadingRight, readingRight } from "../access/decide.ts";
import { repositoryKey, type RepositoryName } from "../access/names.ts";
import { toHex } from "../bytes/hex.ts";
import type { Credentials } from "./authenticate.ts";
import type { Host } from "./host.ts";
import type { RecentReaders } from "./recent-readers.ts";

/** What the right is found out from. */
export type ReadingRightTools = {
  readonly credentials: Credentials;
  readonly identify: Host["identify"];
  readonly recent: RecentReaders;
  readonly now: () => number;
};

/**
 * Returns the function that says what the caller may read under a name. It waits for the token to be looked up only
 * where the answer depends on it: a token of the repository's own tenant that was not let in lately.
 *
 * What it says of a token that was let in lately may be out of date. So it says what may be opened, and never what may
 * be told: that is decided with the token as it is now.
 */
export function rightsOf({
  credentials,
  identify,
  recent,
  now,
}: ReadingRightTools): (name: RepositoryName) => Promise<ReadingRight> {
  if (credentials.kind !== "unchecked") return async (name) => readingRight(credentials, name);
  const token = toHex(credentials.hash);
  const checked = async (name: RepositoryName): Promise<ReadingRight> => {
    const { principal } = await identify(name);
    const right = readingRight(principal, name);
    if (right === "private") recent.add(token, repositoryKey(name), now());
    else recent.forget(token, repositoryKey(name));
    return right;
  };
  return async (name) => {
    // Elsewhere a token is worth what anybody may do, whether it is in force or not.
    if (credentials.tenant !== name.tenant) return "public";
    const asked = checked(name);
    if (!recent.has(token, repositoryKey(name), now())) return await asked;
    // What it throws is told to whoever asks who the caller is.
    asked.catch(() => undefined);
    return "private";
  };
}
