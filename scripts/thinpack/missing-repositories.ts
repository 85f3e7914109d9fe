/**
 * Warns where a token or key is made for repositories that are not there. It may be made before them, so this is no failure.
 *
 * @packageDocumentation
 */
import type { ApiConnection } from "./api-connection.ts";
import { pathPiece } from "./api-path.ts";
import { HostRefusal } from "./failure.ts";
import { textAt } from "./json.ts";
import { printable } from "./output.ts";

/** Returns why nothing has this name; `undefined` if a repository has it. */
async function absenceOf(api: ApiConnection, tenant: string, name: string): Promise<string | undefined> {
  const absence = `${tenant} has no repository ${name}`;
  try {
    const shown = textAt(await api.ask("GET", `/repos/${pathPiece(tenant)}/${pathPiece(name)}`), "name");
    // The host redirects from earlier names, for which a token is of no use. Names are compared without case.
    return shown.toLowerCase() === name.toLowerCase() ? undefined : `${absence}: it is ${shown} now`;
  } catch (error) {
    // Any other refusal says nothing about the name.
    if (error instanceof HostRefusal) return error.status === 404 ? absence : undefined;
    throw error;
  }
}

/** Looks which of the repositories are missing, and returns a function that warns of them. */
export async function lookForRepositories(
  api: ApiConnection,
  tenant: string,
  names: readonly string[] = [],
): Promise<() => void> {
  const absences: string[] = [];
  for (const name of new Set(names)) {
    const absence = await absenceOf(api, tenant, name);
    if (absence !== undefined) absences.push(absence);
  }
  return () => {
    for (const absence of absences) console.error(`warning: ${printable(absence)}`);
  };
}
