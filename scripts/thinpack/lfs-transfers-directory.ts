/**
 * The directory in which transfers of Git LFS objects that were interrupted are remembered.
 *
 * @packageDocumentation
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { git } from "./git-process.ts";

/** Returns the path of a file about one object, in the repository that the client works in. */
export async function transferFile(name: string): Promise<string> {
  const directory = resolve(await git(["rev-parse", "--git-path", "thinpack-lfs"]));
  mkdirSync(directory, { recursive: true });
  return join(directory, name);
}
