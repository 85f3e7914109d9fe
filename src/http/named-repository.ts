/**
 * The repository that the path of a Git request names.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { parseGitRepositoryName, type RepositoryName } from "../access/names.ts";
import { GitRefusal, NO_ADDRESS } from "./git-failure.ts";
import type { HostEnv } from "./host.ts";

/**
 * Returns the names in the path. `asked` is that of the repository where it stands there together with something else.
 *
 * @throws GitRefusal if no repository can have them.
 */
export function namedRepository(context: Context<HostEnv>, asked?: string): RepositoryName {
  const { tenant = "", repo = "" } = context.req.param();
  const name = parseGitRepositoryName(tenant, asked ?? repo);
  if (name === undefined) throw new GitRefusal(404, NO_ADDRESS);
  return name;
}
