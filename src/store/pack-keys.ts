/**
 * Where things lie in the bucket.
 *
 * @packageDocumentation
 */
import type { PackExtension, PackFile } from "./pack-storage.ts";

const EXTENSIONS: readonly PackExtension[] = ["pack", "idx", "rev", "kinds"];

/** Gives the prefix of the repository with this id: a bare repository. */
export function repositoryPrefix(id: string): string {
  return `repos/${id}.git/`;
}

/** Gives the bucket key of a pack's file. */
export function packKey(id: string, file: PackFile): string {
  return `${repositoryPrefix(id)}objects/pack/pack-${file.pack}.${file.extension}`;
}

/** Gives the keys of all files a pack may have. */
export function packKeys(id: string, pack: string): string[] {
  return EXTENSIONS.map((extension) => packKey(id, { pack, extension }));
}
