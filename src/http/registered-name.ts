/**
 * The name and the id with which a repository is made, once its tenant has registered it.
 *
 * @packageDocumentation
 */
import type { RegisterAnswer } from "../access/directory.ts";
import { repositoryKey, type RepositoryName, spellingOf } from "../access/names.ts";

/** The id, and the name as it is shown if that is not in lower case. */
export type RegisteredName = { readonly id: string; readonly spelled?: string };

/** Returns what the repository is made with: its tenant's spelling and the requester's spelling of its own name. */
export function registeredName(
  name: RepositoryName,
  { id, tenant }: Extract<RegisterAnswer, { kind: "registered" }>,
): RegisteredName {
  const spelled = `${tenant}/${spellingOf(name).repo}`;
  return spelled === repositoryKey(name) ? { id } : { id, spelled };
}
