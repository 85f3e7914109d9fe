/**
 * Exports a repository as the command does.
 *
 * @packageDocumentation
 */
import { ApiConnection } from "../../scripts/thinpack/api-connection.ts";
import { exportRepository as copyOut } from "../../scripts/thinpack/export-repository.ts";

/** Copies the repository at `url`, in the API, into `directory`; gives the number of its files, and their bytes. */
export async function exportRepository(url: string, token: string, directory: string): Promise<[number, number]> {
  const { origin, pathname } = new URL(url);
  const api = new ApiConnection({ base: origin, token });
  const { files, bytes } = await copyOut(api, pathname.slice("/api/v1".length), { directory });
  return [files, bytes];
}
