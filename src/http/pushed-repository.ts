/**
 * The repository that a push makes.
 *
 * @packageDocumentation
 */
import type { RepositoryName } from "../access/names.ts";
import { GitRefusal } from "./git-failure.ts";
import type { Host } from "./host.ts";
import { explainRegisterRefusal } from "./register-refusal.ts";

/** The settings of a repository that is made by a push. */
export const PUSHED_REPOSITORY = {
  visibility: "private",
  head: "refs/heads/main",
  description: "",
} as const;

/**
 * Checks, before anything is sent, that the tenant would let the repository be made.
 *
 * @throws GitRefusal
 */
export async function assertRoom(host: Host, name: RepositoryName): Promise<void> {
  const { takesNoMore } = await host.identify(name);
  if (takesNoMore === undefined) return;
  const { status, detail } = explainRegisterRefusal(takesNoMore);
  throw new GitRefusal(status, detail);
}
